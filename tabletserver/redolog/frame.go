package redolog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// A file begins with one of two words. In a file of syncedMagic every frame was
// durable before the next one was written; in one of looseMagic a loss of power
// may have taken any of them.
const (
	syncedMagic = "vtredo01"
	looseMagic  = "vtredo00"
	magicSize   = len(syncedMagic)
	fileHeader  = magicSize + 8
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
	if headerSum(file[magicSize:fileHeader], offset, h) != binary.LittleEndian.Uint32(h[8:]) {
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
// the offset of damage that isn't a torn end. In a loose file, what is damaged is
// lost, and what lies behind it isn't.
func scan(file []byte) (entries []Entry, good int64, err error) {
	loose := string(file[:magicSize]) == looseMagic
	good = int64(fileHeader)
	for good < int64(len(file)) {
		payload, end, state := frameAt(file, good)
		if state != frameGood {
			at, ok := laterFrame(file, good, end, state, loose)
			switch {
			case !ok:
				return entries, good, nil
			case !loose:
				return nil, 0, fmt.Errorf("the record at offset %d is damaged, while one at offset %d is there", good, at)
			}
			good = at
			continue
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

// laterFrame looks for proof that more was written behind a damaged frame: a
// header of this epoch that stands where it says. Anything else there is what the
// disk had in that place before.
func laterFrame(file []byte, offset, end int64, state frameState, loose bool) (int64, bool) {
	at := offset + 1
	switch {
	case zero(file[offset:]):
		return 0, false
	case loose:
	case state == frameCut:
		return 0, false
	case state == frameBad:
		at = end
	}
	for ; at+frameHeader <= int64(len(file)); at++ {
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
