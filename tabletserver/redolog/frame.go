package redolog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	magic      = "vtredo01"
	fileHeader = len(magic) + 8
	// frameHeader is length, checksum and the header's own checksum.
	frameHeader = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// headerSum is the checksum of a frame's header at offset.
func headerSum(epoch []byte, offset int64, header []byte) uint32 {
	var at [8]byte
	binary.LittleEndian.PutUint64(at[:], uint64(offset))
	sum := crc32.Update(0, castagnoli, epoch)
	sum = crc32.Update(sum, castagnoli, at[:])
	return crc32.Update(sum, castagnoli, header[:8])
}

// seal fills in the header of a frame, whose payload stands behind the room
// for it.
func seal(frame, epoch []byte, offset int64) error {
	payload := frame[frameHeader:]
	if int64(len(payload)) > math.MaxUint32 {
		return fmt.Errorf("a record of %d bytes is above the limit of 4 GiB", len(payload))
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(payload, castagnoli))
	binary.LittleEndian.PutUint32(frame[8:], headerSum(epoch, offset, frame))
	return nil
}

// frameState is what stands at an offset of the file.
type frameState int

const (
	frameGood frameState = iota
	frameCut             // the header is right, the payload reaches behind the end
	frameBad             // the header is right, the payload is not
	frameNone            // no header
)

// frameAt looks at the frame at offset.
func frameAt(file []byte, offset int64) (payload []byte, end int64, state frameState) {
	if int64(len(file))-offset < frameHeader {
		return nil, 0, frameNone
	}
	h := file[offset : offset+frameHeader]
	if headerSum(file[len(magic):fileHeader], offset, h) != binary.LittleEndian.Uint32(h[8:]) {
		return nil, 0, frameNone
	}
	end = offset + frameHeader + int64(binary.LittleEndian.Uint32(h))
	if end > int64(len(file)) {
		return nil, end, frameCut
	}
	payload = file[offset+frameHeader : end]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(h[4:]) {
		return nil, end, frameBad
	}
	return payload, end, frameGood
}

// scan reads all frames. good is where the file should be cut; an error names
// the offset of damage that isn't a torn end.
func scan(file []byte) (entries []Entry, good int64, err error) {
	good = int64(fileHeader)
	for good < int64(len(file)) {
		payload, end, state := frameAt(file, good)
		if state != frameGood {
			if at, ok := laterFrame(file, good, end, state); ok {
				return nil, 0, fmt.Errorf("the record at offset %d is damaged, while one at offset %d is there", good, at)
			}
			return entries, good, nil
		}
		more, err := decodeEntries(payload)
		if err != nil {
			return nil, 0, fmt.Errorf("the record at offset %d is complete, but can't be read: %w", good, err)
		}
		entries = append(entries, more...)
		good = end
	}
	return entries, good, nil
}

// laterFrame looks for proof that more was written behind a damaged frame.
func laterFrame(file []byte, offset, end int64, state frameState) (int64, bool) {
	switch state {
	case frameCut:
		return 0, false
	case frameBad:
		// The length is right: what follows, if anything, follows there.
		return end, end < int64(len(file)) && !zero(file[end:])
	}
	for at := offset + 1; at+frameHeader <= int64(len(file)); at++ {
		if _, _, state := frameAt(file, at); state != frameNone {
			return at, true
		}
	}
	return 0, false
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
