package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// unasked are signals that the runtime and the kernel send by themselves.
var unasked = map[os.Signal]bool{
	syscall.SIGCHLD: true, syscall.SIGURG: true, syscall.SIGPIPE: true, syscall.SIGWINCH: true, syscall.SIGCONT: true,
}

var names = map[syscall.Signal]string{
	syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGHUP: "SIGHUP",
	syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2",
}

// waitForSignal says which signal came first, and closes `stopped` after the delay.
func waitForSignal(delay time.Duration, stopped chan<- struct{}) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals)
	for received := range signals {
		if unasked[received] {
			continue
		}
		number := received.(syscall.Signal)
		name, known := names[number]
		if !known {
			name = fmt.Sprintf("signal %d", int(number))
		}
		say("received %s, ending in %s", name, delay)
		time.Sleep(delay)
		say("ended")
		close(stopped)
		return
	}
}
