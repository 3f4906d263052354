package main

import (
	"io"
	"net"
	"net/http"
)

// port is a port and what is spoken there: http (HTTP/1 and HTTP/2 without TLS, and so gRPC), or an echo by tcp or udp.
type port struct {
	number, protocol string
}

func (p port) String() string {
	return p.number + "/" + p.protocol
}

// listen serves the port in the background, until the program ends.
func (p port) listen(handler http.Handler) error {
	if p.protocol == "udp" {
		connection, err := net.ListenPacket("udp", ":"+p.number)
		if err == nil {
			go echoPackets(connection)
		}
		return err
	}
	listener, err := net.Listen("tcp", ":"+p.number)
	if err != nil {
		return err
	}
	if p.protocol == "tcp" {
		go echoConnections(listener)
		return nil
	}
	server := &http.Server{Handler: handler, Protocols: &http.Protocols{}}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(listener)
	return nil
}

func echoPackets(connection net.PacketConn) {
	buffer := make([]byte, 64<<10)
	for {
		size, from, err := connection.ReadFrom(buffer)
		if err != nil {
			return
		}
		connection.WriteTo(buffer[:size], from)
	}
}

func echoConnections(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			io.Copy(connection, connection)
		}()
	}
}
