package exec

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// The bounds of a spill: rows are kept in frames, the first of them in memory and
// all others in a temporary file.
const (
	frameRows   = 4096
	frameBytes  = 1 << 20
	spillMemory = 8 << 20
)

// spill keeps any number of rows of one width: it is filled by add, then read by
// next, frame by frame, in the same order. It belongs to one goroutine.
type spill struct {
	width int
	// memory is the size above which frames go to the file; for tests.
	memory int

	open   []byte // the frame that is being filled
	n      int    // its rows
	frames []frame
	kept   [][]byte // the frames in memory, which come first
	held   int      // their bytes
	file   *os.File
	size   int64 // of the file

	read int // frames that were read
	buf  []byte
}

// frame is some rows, in memory or in the file from offset at on.
type frame struct {
	rows, bytes int
	at          int64
}

func newSpill(width int) *spill { return &spill{width: width, memory: spillMemory} }

// add appends a row, whose values it copies.
func (s *spill) add(row []any) error {
	for _, v := range row {
		var err error
		if s.open, err = appendSpilled(s.open, v); err != nil {
			return err
		}
	}
	s.n++
	if s.n < frameRows && len(s.open) < frameBytes {
		return nil
	}
	return s.flush()
}

// flush ends the open frame.
func (s *spill) flush() error {
	if s.n == 0 {
		return nil
	}
	f := frame{rows: s.n, bytes: len(s.open)}
	if s.file == nil && s.held+len(s.open) <= s.memory {
		s.kept = append(s.kept, s.open)
		s.held += len(s.open)
		s.open = nil
	} else {
		if err := s.write(); err != nil {
			return err
		}
		f.at = s.size - int64(f.bytes)
		s.open = s.open[:0]
	}
	s.frames = append(s.frames, f)
	s.n = 0
	return nil
}

func (s *spill) write() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "vitessdo-rows-*"); err != nil {
			return fmt.Errorf("making a file for rows that are too many for memory: %w", err)
		}
		// Where the system allows it, the file is gone with the process.
		_ = os.Remove(s.file.Name())
	}
	if _, err := s.file.WriteAt(s.open, s.size); err != nil {
		return fmt.Errorf("keeping rows that are too many for memory in a file: %w", err)
	}
	s.size += int64(len(s.open))
	return nil
}

// next gives the rows of the next frame, each with room for stride values, or
// io.EOF. The rows are the caller's. After the first call nothing may be added.
func (s *spill) next(stride int) ([][]any, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	if s.read == len(s.frames) {
		return nil, io.EOF
	}
	f := s.frames[s.read]
	var b []byte
	if s.read < len(s.kept) {
		b, s.kept[s.read] = s.kept[s.read], nil
	} else {
		if cap(s.buf) < f.bytes {
			s.buf = make([]byte, f.bytes)
		}
		b = s.buf[:f.bytes]
		if _, err := s.file.ReadAt(b, f.at); err != nil {
			return nil, fmt.Errorf("reading rows back from a file: %w", err)
		}
	}
	s.read++
	return spilledRows(b, f.rows, s.width, max(stride, s.width)), nil
}

// close frees the file.
func (s *spill) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name()) // where an open file couldn't be
		s.file = nil
	}
	s.kept, s.frames, s.open = nil, nil, nil
}

// appendSpilled appends a value: its kind, then for numbers 8 bytes or a varint,
// for text and blobs their length and bytes.
func appendSpilled(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), nil
	case int64:
		return binary.AppendVarint(append(b, 'i'), v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v)), nil
	case string:
		return append(binary.AppendUvarint(append(b, 't'), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.AppendUvarint(append(b, 'b'), uint64(len(v))), v...), nil
	}
	return nil, fmt.Errorf("a value of type %T can't be kept; it must be int64, float64, string, []byte or nil", v)
}

// spilledRows reads a frame's rows. Their texts share one string.
func spilledRows(b []byte, rows, width, stride int) [][]any {
	text := string(b)
	flat := make([]any, rows*stride)
	out := make([][]any, rows)
	at := 0
	for i := range out {
		row := flat[i*stride : (i+1)*stride : (i+1)*stride]
		for k := range row[:width] {
			kind := b[at]
			at++
			switch kind {
			case 'i':
				v, n := binary.Varint(b[at:])
				row[k], at = v, at+n
			case 'f':
				row[k], at = math.Float64frombits(binary.LittleEndian.Uint64(b[at:])), at+8
			case 't', 'b':
				size, n := binary.Uvarint(b[at:])
				at += n
				if kind == 't' {
					row[k] = text[at : at+int(size)]
				} else {
					row[k] = append(make([]byte, 0, size), b[at:at+int(size)]...)
				}
				at += int(size)
			}
		}
		out[i] = row
	}
	return out
}
