package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// patience is how long a client waits for an answer.
const patience = 10 * time.Second

// client is a program that runs beside the first one: `standin get URL`, `standin send tcp|udp HOST:PORT TEXT`,
// `standin read FILE`. By any other name, and with any other arguments, it is the command of an exec check, which passes
// if the first program says that it is healthy. It returns its exit code.
func client(name string, arguments []string) int {
	var err error
	switch {
	case name == "standin" && len(arguments) == 2 && arguments[0] == "get":
		err = get(arguments[1])
	case name == "standin" && len(arguments) == 4 && arguments[0] == "send":
		err = send(arguments[1], arguments[2], arguments[3])
	case name == "standin" && len(arguments) == 2 && arguments[0] == "read":
		err = read(arguments[1])
	default:
		err = check()
	}
	if err != nil {
		return failed(err)
	}
	return 0
}

func check() error {
	connection, err := net.Dial("unix", checkSocket)
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := io.ReadAll(connection)
	if err == nil && string(answer) != "ok" {
		err = fmt.Errorf("check: %s", answer)
	}
	return err
}

func get(url string) error {
	response, err := (&http.Client{Timeout: patience}).Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s", response.Status)
	}
	return nil
}

// send sends a text and prints as many bytes of the answer as the text has.
func send(protocol, address, text string) error {
	connection, err := net.DialTimeout(protocol, address, patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(patience))
	if _, err := connection.Write([]byte(text)); err != nil {
		return err
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(connection, answer); err != nil {
		return err
	}
	fmt.Println(string(answer))
	return nil
}

func read(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(content)
	return err
}
