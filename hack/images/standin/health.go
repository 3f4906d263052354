package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// checkSocket is where commands of exec checks ask the program. It is in no file system, so that a read-only one does
// not matter, and belongs to the pod's network namespace.
const checkSocket = "@standin"

const (
	healthy = iota
	failing
	hanging
)

// health is what checks of all kinds are answered by.
type health struct {
	state atomic.Int32
}

func newHealth(hangAfter time.Duration) *health {
	made := &health{}
	if hangAfter > 0 {
		time.AfterFunc(hangAfter, func() {
			say("hanging")
			made.state.Store(hanging)
		})
	}
	return made
}

// passes says whether a check passes. While the program hangs it does not return.
func (h *health) passes() bool {
	for h.state.Load() == hanging {
		time.Sleep(100 * time.Millisecond)
	}
	return h.state.Load() == healthy
}

// answerChecks answers the commands of exec checks.
func answerChecks(health *health) error {
	listener, err := net.Listen("unix", checkSocket)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				if health.passes() {
					connection.Write([]byte("ok"))
				} else {
					connection.Write([]byte("failing"))
				}
			}()
		}
	}()
	return nil
}

// answerGRPC answers grpc.health.v1.Health/Check. The message has one field, the state: 1 is SERVING, 2 is NOT_SERVING.
func answerGRPC(w http.ResponseWriter, health *health) {
	state := byte(1)
	if !health.passes() {
		state = 2
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	// Not compressed, two bytes long: field 1, a varint.
	w.Write([]byte{0, 0, 0, 0, 2, 8, state})
	w.Header().Set("Grpc-Status", "0")
}

// checkedService returns the name in a request of a check: field 1, a string. It is empty for the whole server.
func checkedService(body io.Reader) string {
	message, err := io.ReadAll(io.LimitReader(body, 200))
	// Behind the five bytes of a message's head come the field, its length, which is one byte here, and its text.
	if err != nil || len(message) < 7 || message[5] != 0x0a || len(message) != 7+int(message[6]) {
		return ""
	}
	return string(message[7:])
}

// refuseGRPC answers that there is no such service: status 5 is NOT_FOUND.
func refuseGRPC(w http.ResponseWriter, service string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", "5")
	w.Header().Set("Grpc-Message", fmt.Sprintf("unknown service %q", service))
}
