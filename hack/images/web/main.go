// Web is the sample service of examples and tests: a small HTTP server that
// behaves well by default and badly on request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var (
	port       = flag.String("port", envOr("PORT", "8080"), "port to listen on; also $PORT")
	version    = flag.String("version", envOr("VERSION", "dev"), "version to answer with; also $VERSION")
	readyAfter = flag.Duration("ready-after", 0, "answer /healthz with 503 for this long")
	exitAfter  = flag.Duration("exit-after", 0, "serve for this long, then exit with --exit-code")
	exitCode   = flag.Int("exit-code", 1, "exit code for --exit-after")
	noListen   = flag.Bool("no-listen", false, "run without listening")
	hold       = flag.Duration("hold", 0, "let each GET / take this long")
	needs      = flag.String("needs", "", "exit with 1 at the start unless this host:port accepts a connection")
	startAfter = flag.Duration("start-after", 0, "begin to listen after this long")
	announce   = flag.String("print", "", "text to print to stderr at the start")
	get        = flag.String("get", "", "instead of serving, fetch this URL and print the answer")
)

func main() {
	flag.Parse()
	if *get != "" {
		if err := fetch(*get); err != nil {
			log.Fatal(err)
		}
		return
	}
	if *announce != "" {
		fmt.Fprintln(os.Stderr, *announce)
	}
	if *needs != "" {
		connection, err := net.DialTimeout("tcp", *needs, 2*time.Second)
		if err != nil {
			log.Fatal(err)
		}
		connection.Close()
	}
	time.Sleep(*startAfter)
	if *exitAfter > 0 {
		time.AfterFunc(*exitAfter, func() {
			log.Printf("exiting with code %d after %s", *exitCode, *exitAfter)
			os.Exit(*exitCode)
		})
	}
	stopping, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	if *noListen {
		<-stopping.Done()
		return
	}
	if err := serve(stopping); err != nil {
		log.Fatal(err)
	}
}

// serve answers until the context ends, then finishes the requests under way.
func serve(stopping context.Context) error {
	started := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(*hold)
		host, _ := os.Hostname()
		fmt.Fprintf(w, "web %s on %s\n", *version, host)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if time.Since(started) < *readyAfter {
			http.Error(w, "not ready yet", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})

	server := &http.Server{Addr: ":" + *port, Handler: mux}
	finished := make(chan error, 1)
	go func() {
		<-stopping.Done()
		log.Print("finishing requests")
		finished <- server.Shutdown(context.Background())
	}()
	log.Printf("web %s listening on port %s", *version, *port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-finished
}

// fetch lets a test ask another service from inside a pod, where no shell is.
func fetch(url string) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return errors.New(response.Status)
	}
	return nil
}

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
