package service

import (
	"net"
	"sync"
)

// Limit bounds the connections that a listener has given and that are open. The
// others wait to be accepted.
func Limit(on net.Listener, n int) net.Listener {
	return &limited{Listener: on, room: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	room   chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept waits for room, and then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &counted{Conn: c, l: l}, nil
}

// Close ends Accept too where it waits for room.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type counted struct {
	net.Conn
	l    *limited
	once sync.Once
}

// Close makes room.
func (c *counted) Close() error {
	c.once.Do(func() { <-c.l.room })
	return c.Conn.Close()
}
