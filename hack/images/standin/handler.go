package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// maxProbes bounds what is kept of requests.
const maxProbes = 100

// probe is the last request for a path of a port.
type probe struct {
	Port    string            `json:"port"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Count   int               `json:"count"`
}

// handler answers requests: below /-/ what tests ask of the stand-in itself, anything else as the application would.
type handler struct {
	settings settings
	health   *health
	lock     sync.Mutex
	probes   map[string]*probe
}

func newHandler(settings settings, health *health) http.Handler {
	made := &handler{settings: settings, health: health, probes: map[string]*probe{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/", made.answer)
	mux.HandleFunc("POST /grpc.health.v1.Health/Check", func(w http.ResponseWriter, request *http.Request) {
		if service := checkedService(request.Body); len(settings.services) > 0 && !settings.services[service] {
			refuseGRPC(w, service)
			return
		}
		answerGRPC(w, health)
	})
	mux.HandleFunc("GET /-/args", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, os.Args) })
	mux.HandleFunc("GET /-/env", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, environment()) })
	mux.HandleFunc("GET /-/id", answerIdentity)
	mux.HandleFunc("GET /-/file", answerFile)
	mux.HandleFunc("POST /-/write", writeFile)
	mux.HandleFunc("GET /-/probes", made.answerProbes)
	for name, state := range map[string]int32{"healthy": healthy, "failing": failing, "hanging": hanging} {
		mux.HandleFunc("POST /-/"+name, func(w http.ResponseWriter, _ *http.Request) {
			health.state.Store(state)
			say("%s", name)
		})
	}
	return mux
}

// answer is the application's own answer.
func (h *handler) answer(w http.ResponseWriter, request *http.Request) {
	h.note(request)
	for name, value := range h.settings.headers {
		found := request.Header.Get(name)
		if strings.EqualFold(name, "Host") {
			found = request.Host
		}
		if found != value {
			http.Error(w, fmt.Sprintf("header %s: expected %q, got %q", name, value, found), http.StatusForbidden)
			return
		}
	}
	if len(h.settings.paths) > 0 && !h.settings.paths[request.URL.Path] {
		http.NotFound(w, request)
		return
	}
	if !h.health.passes() {
		http.Error(w, "failing", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "standin %s\n", h.settings.version)
}

// note keeps the request for /-/probes.
func (h *handler) note(request *http.Request) {
	address := request.Context().Value(http.LocalAddrContextKey).(fmt.Stringer).String()
	port := address[strings.LastIndex(address, ":")+1:]
	headers := map[string]string{"Host": request.Host}
	for name, values := range request.Header {
		headers[name] = strings.Join(values, ", ")
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	key := port + request.URL.Path
	if h.probes[key] == nil {
		if len(h.probes) == maxProbes {
			return
		}
		h.probes[key] = &probe{Port: port, Path: request.URL.Path}
	}
	h.probes[key].Headers = headers
	h.probes[key].Count++
}

func (h *handler) answerProbes(w http.ResponseWriter, _ *http.Request) {
	h.lock.Lock()
	defer h.lock.Unlock()
	list := []*probe{}
	for _, each := range h.probes {
		list = append(list, each)
	}
	answerJSON(w, list)
}

func environment() map[string]string {
	found := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		found[name] = value
	}
	return found
}

func answerIdentity(w http.ResponseWriter, _ *http.Request) {
	groups, _ := os.Getgroups()
	answerJSON(w, map[string]any{"user": os.Getuid(), "group": os.Getgid(), "groups": groups})
}

// answerFile answers a file of the container, and its mode as a header.
func answerFile(w http.ResponseWriter, request *http.Request) {
	name := request.URL.Query().Get("path")
	content, err := os.ReadFile(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if info, err := os.Stat(name); err == nil {
		w.Header().Set("X-Mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	w.Write(content)
}

func writeFile(w http.ResponseWriter, request *http.Request) {
	content, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
	if err == nil {
		err = os.WriteFile(request.URL.Query().Get("path"), content, 0o600)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func answerJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
