// Standin takes the place of a real application's program in tests: it listens on the same ports, passes the same
// checks, reads the same files and ends on the same signals, and answers what it was given.
//
// As the first process of a container it serves, whatever it is called and whatever its arguments are, so that an
// image may link the application's own commands to it. Everything else that is started in the container is a check or
// one of the clients of client.go. Environment variables that begin with STANDIN_ say how it behaves (settings.go).
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if os.Getpid() != 1 && !(len(os.Args) > 1 && os.Args[1] == "serve") {
		os.Exit(client(filepath.Base(os.Args[0]), os.Args[1:]))
	}
	os.Exit(run())
}

// run is the program of the container. It returns its exit code.
func run() int {
	settings, err := readSettings(os.Getenv)
	if err != nil {
		return failed(err)
	}
	stopped := make(chan struct{})
	go waitForSignal(settings.stop, stopped)
	if err := tryFiles(settings.reads, settings.writes); err != nil {
		return failed(err)
	}
	if settings.exit >= 0 {
		say("exiting with %d", settings.exit)
		return settings.exit
	}
	select {
	case <-time.After(settings.start):
	case <-stopped:
		return 0
	}
	health := newHealth(settings.hangAfter)
	if err := answerChecks(health); err != nil {
		return failed(err)
	}
	handler := newHandler(settings, health)
	for _, port := range settings.ports {
		if err := port.listen(handler); err != nil {
			return failed(err)
		}
		say("listening on %s", port)
	}
	<-stopped
	return 0
}

// tryFiles reads every file and writes into every folder that a program of its kind would need at the start.
func tryFiles(reads, writes []string) error {
	for _, name := range reads {
		if _, err := os.ReadFile(name); err != nil {
			return err
		}
	}
	for _, folder := range writes {
		if err := os.WriteFile(filepath.Join(folder, "standin"), []byte("written\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func failed(err error) int {
	say("%v", err)
	return 1
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "standin: "+format+"\n", values...)
}
