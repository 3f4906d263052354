package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// settings say how the stand-in behaves. Each comes from the environment variable that its comment names.
type settings struct {
	version   string            // VERSION: what it answers with
	ports     []port            // PORT (8080), and STANDIN_PORTS: "9090 5432/tcp 53/udp"
	paths     map[string]bool   // STANDIN_PATHS: "/health /live"; other paths are not found. All are, if it is empty
	services  map[string]bool   // STANDIN_GRPC: "shop.v1.Cart"; checks of other gRPC services fail. None does, if it is empty
	headers   map[string]string // STANDIN_HEADERS: "Host=shop.example.com X-Probe=yes", which requests must have
	reads     []string          // STANDIN_READS: files without which it exits with 1
	writes    []string          // STANDIN_WRITES: folders into which it writes a file, or exits with 1
	start     time.Duration     // STANDIN_START: how long until it listens
	hangAfter time.Duration     // STANDIN_HANG_AFTER: from then on no check is answered; never if it is empty
	stop      time.Duration     // STANDIN_STOP: how long from a signal until it ends
	exit      int               // STANDIN_EXIT: the code with which it exits instead of serving
}

func readSettings(get func(string) string) (settings, error) {
	read := settings{
		version:  get("VERSION"),
		reads:    strings.Fields(get("STANDIN_READS")),
		writes:   strings.Fields(get("STANDIN_WRITES")),
		paths:    map[string]bool{},
		services: map[string]bool{},
		headers:  map[string]string{},
		exit:     -1,
	}
	for _, path := range strings.Fields(get("STANDIN_PATHS")) {
		read.paths[path] = true
	}
	for _, service := range strings.Fields(get("STANDIN_GRPC")) {
		read.services[service] = true
	}
	for _, pair := range strings.Fields(get("STANDIN_HEADERS")) {
		name, value, _ := strings.Cut(pair, "=")
		read.headers[name] = value
	}
	main := get("PORT")
	if main == "" {
		main = "8080"
	}
	for _, text := range append([]string{main}, strings.Fields(get("STANDIN_PORTS"))...) {
		port, err := readPort(text)
		if err != nil {
			return read, err
		}
		read.ports = append(read.ports, port)
	}
	for name, target := range map[string]*time.Duration{
		"STANDIN_START": &read.start, "STANDIN_HANG_AFTER": &read.hangAfter, "STANDIN_STOP": &read.stop,
	} {
		if text := get(name); text != "" {
			duration, err := time.ParseDuration(text)
			if err != nil {
				return read, fmt.Errorf("%s: %w", name, err)
			}
			*target = duration
		}
	}
	if text := get("STANDIN_EXIT"); text != "" {
		code, err := strconv.Atoi(text)
		if err != nil {
			return read, fmt.Errorf("STANDIN_EXIT: %w", err)
		}
		read.exit = code
	}
	return read, nil
}

func readPort(text string) (port, error) {
	number, protocol, found := strings.Cut(text, "/")
	if !found {
		protocol = "http"
	}
	if protocol != "http" && protocol != "tcp" && protocol != "udp" {
		return port{}, fmt.Errorf("port %s: unknown protocol %q", text, protocol)
	}
	if value, err := strconv.Atoi(number); err != nil || value < 1 || value > 65535 {
		return port{}, fmt.Errorf("port %s: not a number from 1 to 65535", text)
	}
	return port{number, protocol}, nil
}
