package mysql

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// most is how many bytes a packet of the protocol holds; a longer message goes on in
// the next one.
const most = 1<<24 - 1

// packets sends and receives the protocol's packets.
type packets struct {
	net.Conn
	in    *bufio.Reader
	out   *bufio.Writer
	seq   uint8
	limit int           // bytes of one message that comes
	slow  time.Duration // within which a client must take or send what has begun
	buf   []byte        // of the message that is being written
}

func newPackets(c net.Conn, limit int, slow time.Duration) *packets {
	p := &packets{Conn: c, limit: limit, slow: slow}
	p.in = bufio.NewReaderSize(c, 16<<10)
	p.out = bufio.NewWriterSize(deadlined{p}, 32<<10)
	return p
}

// deadlined writes within the time that a slow client has.
type deadlined struct{ p *packets }

func (d deadlined) Write(b []byte) (int, error) {
	if err := d.p.SetWriteDeadline(time.Now().Add(d.p.slow)); err != nil {
		return 0, err
	}
	return d.p.Conn.Write(b)
}

// tooLarge is a message beyond the limit.
type tooLarge int

func (n tooLarge) Error() string { return fmt.Sprintf("a packet of %d bytes or more", int(n)) }

// command waits for the next command, for as long as the client may be idle.
func (p *packets) command(idle time.Duration) ([]byte, error) {
	p.seq = 0
	if err := p.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return nil, err
	}
	if _, err := p.in.Peek(1); err != nil {
		return nil, err
	}
	if err := p.SetReadDeadline(time.Now().Add(p.slow)); err != nil {
		return nil, err
	}
	return p.read()
}

// read gives one message.
func (p *packets) read() ([]byte, error) {
	var message []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return nil, err
		}
		if head[3] != p.seq {
			return nil, fmt.Errorf("packet %d came where %d was expected", head[3], p.seq)
		}
		p.seq++
		n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		if len(message)+n > p.limit {
			return nil, tooLarge(p.limit)
		}
		// It grows as bytes come: a length alone costs nothing.
		for have := len(message); n > 0; have = len(message) {
			step := min(n, 64<<10)
			message = append(message, make([]byte, step)...)
			if _, err := io.ReadFull(p.in, message[have:]); err != nil {
				return nil, err
			}
			if n -= step; n > 0 {
				if err := p.SetReadDeadline(time.Now().Add(p.slow)); err != nil {
					return nil, err
				}
			}
		}
		if head[0]&head[1]&head[2] != 0xff {
			return message, nil
		}
	}
}

// begin starts a message; its bytes are appended to the result and given to send.
func (p *packets) begin() []byte { return p.buf[:0] }

// send writes a message.
func (p *packets) send(message []byte) error {
	p.buf = message
	for {
		n := min(len(message), most)
		var head [4]byte
		binary.LittleEndian.PutUint32(head[:], uint32(n))
		head[3] = p.seq
		p.seq++
		if _, err := p.out.Write(head[:]); err != nil {
			return err
		}
		if _, err := p.out.Write(message[:n]); err != nil {
			return err
		}
		if message = message[n:]; n < most {
			break
		}
	}
	if cap(p.buf) > 1<<20 {
		p.buf = nil
	}
	return nil
}

// appendLength writes a number in the protocol's form of 1 to 9 bytes.
func appendLength(b []byte, n uint64) []byte {
	switch {
	case n <= 250:
		return append(b, byte(n))
	case n < 1<<16:
		return append(b, 0xfc, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(b, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xfe), n)
}

// appendText writes text behind its length.
func appendText[T string | []byte](b []byte, s T) []byte {
	return append(appendLength(b, uint64(len(s))), s...)
}
