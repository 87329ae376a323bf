package redolog

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
)

// DefaultKeep is the size in bytes above which the file is emptied when no
// transaction is under way.
const DefaultKeep = 4 << 20

// While transactions overlap, there may never be a moment in which none is under
// way. So when the file has grown to a multiple of what is kept, new ones are held
// up until those that are under way have ended, but not for long: one may be
// waiting for its disk.
const drainWait = 50 * time.Millisecond

func drainAt(keep int64) int64 { return 4*keep + 4096 }

// defaultChunk is by how much the file is lengthened at a time: to make a longer
// file durable takes a file system several times as long as what lies within one.
const defaultChunk = 256 << 10

// Entry is one decided transaction.
type Entry struct {
	DTID  string
	Redos []tablet.Redo
}

// Log is the redo log. It is safe for concurrent use.
type Log struct {
	path  string
	sync  bool // Append waits until its record is durable
	loose bool // the file's records aren't
	disk  disk.FS
	file  disk.File
	epoch []byte

	mu      sync.Mutex
	size    int64
	room    int64 // the file's length; zeroes stand behind size
	chunk   int64
	keep    int64
	live    map[string]liveTx // decided or about to be, and not done everywhere
	logged  []string          // in the file
	entries []Entry           // what was in the file when it was opened
	queue   []*request
	writing bool
	appends int64
	err     error // the file is in an unknown state; nothing can be appended
	before  func() error
	after   func(dtids []string)
	gone    []string      // for after, by the next Done
	drainAt int64         // the size at which Append waits for the file to be emptied
	drained chan struct{} // told that fewer transactions are under way
}

// request is an append on its way.
type request struct {
	dtid    string
	redos   []tablet.Redo
	entry   []byte
	durably bool
	reply   chan reply
}

// liveTx is a transaction that is under way.
type liveTx struct {
	redos   []tablet.Redo
	since   time.Time
	decided bool
}

type reply struct {
	lead bool // write the queue; the request is still on it
	err  error
}

// Open opens the log, creating it if need be, and reads it: see Recover. sync
// says whether Append waits until its record would survive power loss.
func Open(path string, sync bool) (*Log, error) { return OpenOn(disk.OS, path, sync) }

// OpenOn is Open on a file system of the caller's.
func OpenOn(on disk.FS, path string, sync bool) (*Log, error) {
	l := &Log{path: path, sync: sync, keep: DefaultKeep, drainAt: drainAt(DefaultKeep), drained: make(chan struct{}, 1), chunk: defaultChunk, disk: disk.Or(on), live: map[string]liveTx{}}
	f, err := l.disk.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, l.ioError("can't be opened", err)
	}
	l.file = f
	if err := l.load(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return l, nil
}

// Read gives the transactions that a log holds, without opening or changing it.
// A log that isn't there holds none.
func Read(path string) ([]Entry, error) {
	l := &Log{path: path}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, l.ioError("can't be read", err)
	case len(data) < fileHeader || zero(data):
		return nil, nil
	case !knownMagic(data):
		return nil, l.damaged("it doesn't begin like a redo log")
	}
	entries, _, err := scan(data)
	if err != nil {
		return nil, l.damaged(err.Error())
	}
	return entries, nil
}

// knownMagic says whether a file of at least that length begins like a redo log.
func knownMagic(data []byte) bool {
	word := string(data[:magicSize])
	return word == syncedMagic || word == looseMagic
}

func (l *Log) load() error {
	data, err := io.ReadAll(l.file)
	if err != nil {
		return l.ioError("can't be read", err)
	}
	if len(data) < fileHeader || zero(data) {
		// A file that was never finished: nothing was appended to it yet.
		if n := min(len(data), magicSize); !zero(data) && string(data[:n]) != syncedMagic[:n] && string(data[:n]) != looseMagic[:n] {
			return l.damaged("it doesn't begin like a redo log")
		}
		return l.create()
	}
	if !knownMagic(data) {
		return l.damaged("it doesn't begin like a redo log")
	}
	l.loose = string(data[:magicSize]) == looseMagic
	l.epoch = append([]byte(nil), data[magicSize:fileHeader]...)
	entries, good, err := scan(data)
	if err != nil {
		return l.damaged(err.Error())
	}
	if good < int64(len(data)) {
		if err := l.file.Truncate(good); err != nil {
			return l.ioError("can't be cut back", err)
		}
		if err := l.file.Sync(); err != nil {
			return l.ioError("can't be made durable", err)
		}
	}
	l.size, l.room, l.entries = good, good, entries
	for i := range entries {
		l.live[entries[i].DTID] = liveTx{redos: entries[i].Redos, since: time.Now(), decided: true}
		l.logged = append(l.logged, entries[i].DTID)
	}
	return nil
}

// create writes a new file.
func (l *Log) create() error {
	if err := l.clear(); err != nil {
		return l.ioError("can't be created", err)
	}
	if err := l.disk.SyncDir(filepath.Dir(l.path)); err != nil {
		return l.ioError("can't be created", err)
	}
	return nil
}

// clear leaves a header with a new epoch, durably whatever the log's mode: what
// was in the file is no frame any more, should the disk bring it back.
func (l *Log) clear() error {
	epoch := make([]byte, fileHeader-magicSize)
	_, _ = rand.Read(epoch)
	word := looseMagic
	if l.sync {
		word = syncedMagic
	}
	if err := l.file.Truncate(int64(fileHeader)); err != nil {
		return err
	}
	l.room = int64(fileHeader)
	n, err := l.file.WriteAt(append([]byte(word), epoch...), 0)
	switch {
	case err == nil:
		l.epoch, l.loose = epoch, !l.sync
	case n > 0 || l.epoch == nil:
		return err
	}
	// A full disk that takes no new header leaves the old one, of an empty file.
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.size = int64(fileHeader)
	return nil
}

func (l *Log) ioError(what string, err error) error {
	code := tablet.CodeIO
	if errors.Is(err, syscall.ENOSPC) {
		code = tablet.CodeFull
	}
	return &tablet.Error{Code: code, Err: err,
		Message: "redo log " + strconv.Quote(l.path) + " " + what + ": " + err.Error()}
}

func (l *Log) damaged(what string) error {
	return &tablet.Error{Code: tablet.CodeCorrupt,
		Message: "redo log " + strconv.Quote(l.path) + " is damaged: " + what + "; restore it from a backup, or remove it if half-done transactions don't matter"}
}

// SetKeep changes the size above which the file is emptied.
func (l *Log) SetKeep(bytes int64) {
	l.mu.Lock()
	l.keep, l.drainAt = bytes, drainAt(bytes)
	l.mu.Unlock()
}

// OnTruncate sets what is called around emptying the file. before, which may be
// nil, must make every commit of the participants durable, and must not wait for
// a transaction; it is called by Done, Reset and Append, and is needed when their
// own commits aren't durable. after, called by Done and Reset, which may be nil, gets the IDs whose records are gone for good, so that
// their markers can be forgotten. Set it before the first Append.
func (l *Log) OnTruncate(before func() error, after func(dtids []string)) {
	l.mu.Lock()
	l.before, l.after = before, after
	l.mu.Unlock()
}

// Recover gives the transactions that were in the log when it was opened, in
// the order of their decision. They count as under way until Done. A torn end,
// whose append never returned, was cut off.
func (l *Log) Recover() ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries, l.err
}

// Append decides the transaction: when it returns nil, redos will be replayed
// after any crash, until Done. An error of code OUTCOME_UNKNOWN leaves open
// whether the record would be found after one; with any other error it is not
// in the log.
func (l *Log) Append(dtid string, redos []tablet.Redo) error { return l.append(dtid, redos, false) }

// AppendDurably is Append that waits, whatever the log's mode, until its record
// would survive power loss.
func (l *Log) AppendDurably(dtid string, redos []tablet.Redo) error {
	return l.append(dtid, redos, true)
}

func (l *Log) append(dtid string, redos []tablet.Redo, durably bool) error {
	entry, err := appendEntry(make([]byte, frameHeader, frameHeader+entrySize(dtid, redos)), dtid, redos)
	if err != nil {
		return &tablet.Error{Code: tablet.CodeMisuse, Message: "transaction " + dtid + ": " + err.Error()}
	}
	r := &request{dtid: dtid, redos: redos, entry: entry, durably: durably || l.sync, reply: make(chan reply, 1)}
	l.mu.Lock()
	if err := l.admit(r); err != nil {
		l.mu.Unlock()
		return err
	}
	if l.writing {
		l.mu.Unlock()
		if a := <-r.reply; !a.lead {
			return a.err
		}
		l.mu.Lock()
	}
	l.lead()
	l.mu.Unlock()
	return (<-r.reply).err
}

// admit puts a request into the queue.
func (l *Log) admit(r *request) error {
	if l.err != nil {
		return l.err
	}
	if _, ok := l.live[r.dtid]; ok {
		return &tablet.Error{Code: tablet.CodeMisuse, Message: "transaction " + r.dtid + " is decided already"}
	}
	l.live[r.dtid] = liveTx{redos: r.redos, since: time.Now()}
	l.queue = append(l.queue, r)
	return nil
}

// lead writes what is in the queue as one frame, and hands the lead to the
// first of those that came meanwhile. l.mu is held before and after.
func (l *Log) lead() {
	l.writing = true
	batch := l.queue
	l.queue = nil
	size, durably := frameHeader, false
	for _, r := range batch {
		size += len(r.entry) - frameHeader
		durably = durably || r.durably
	}
	frame := batch[0].entry // a single one has room for the header before it
	if len(batch) > 1 {
		frame = make([]byte, frameHeader, size)
		for _, r := range batch {
			frame = append(frame, r.entry[frameHeader:]...)
		}
	}
	if l.size >= l.drainAt {
		l.drain(len(batch))
	}
	err, offset := l.err, l.size
	if err == nil {
		l.mu.Unlock()
		err = l.write(frame, offset, durably)
		l.mu.Lock()
	}
	for _, r := range batch {
		switch {
		case err == nil:
			l.logged = append(l.logged, r.dtid)
			x := l.live[r.dtid]
			x.decided = true
			l.live[r.dtid] = x
		case tablet.CodeOf(err) != tablet.CodeUnknownResult:
			delete(l.live, r.dtid)
		}
		r.reply <- reply{err: err}
	}
	if err == nil {
		l.size = offset + int64(len(frame))
		l.appends++
	} else if tablet.CodeOf(err) == tablet.CodeUnknownResult {
		l.err = err
	}
	l.writing = false
	if len(l.queue) > 0 {
		l.writing = true // until that one takes over
		l.queue[0].reply <- reply{lead: true}
	}
}

// drain empties the file before a batch is written, if it can. l.mu is held before
// and after; nobody else writes meanwhile.
func (l *Log) drain(batch int) {
	timer := time.NewTimer(drainWait)
	defer timer.Stop()
	for late := false; len(l.live) > batch+len(l.queue); {
		if late {
			l.drainAt = l.size + l.keep
			return
		}
		l.mu.Unlock()
		select {
		case <-l.drained:
		case <-timer.C:
			late = true
		}
		l.mu.Lock()
	}
	if l.before != nil {
		l.mu.Unlock()
		err := l.before()
		l.mu.Lock()
		if err != nil {
			l.drainAt = l.size + l.keep
			return
		}
	}
	if dtids, err := l.truncate(); err == nil {
		// Not now: forgetting may take locks that this transaction holds.
		l.gone = append(l.gone, dtids...)
		l.drainAt = drainAt(l.keep)
	}
}

// write puts one frame at the end of the file.
func (l *Log) write(frame []byte, offset int64, durably bool) error {
	if err := seal(frame, l.epoch, offset); err != nil {
		return &tablet.Error{Code: tablet.CodeTooBig, Message: "redo log " + strconv.Quote(l.path) + ": " + err.Error()}
	}
	end := offset + int64(len(frame))
	if end > l.room {
		l.room = max(end, (end+l.chunk-1)/max(l.chunk, 1)*l.chunk)
		frame = append(frame, make([]byte, l.room-end)...)
	}
	if _, err := l.file.WriteAt(frame, offset); err != nil {
		l.room = offset
		if terr := l.file.Truncate(offset); terr != nil {
			return l.unknown("can't be cut back after a failed write", terr)
		}
		return &tablet.Error{Code: tablet.CodeFull, Err: err,
			Message: "redo log " + strconv.Quote(l.path) + " can't be written: " + err.Error()}
	}
	if durably {
		if err := l.file.Sync(); err != nil {
			return l.unknown("can't be made durable", err)
		}
	}
	return nil
}

// unknown is for failures after which nobody can say what the disk holds: a
// failed fsync may have dropped the pages, and isn't worth repeating.
func (l *Log) unknown(what string, err error) error {
	return &tablet.Error{Code: tablet.CodeUnknownResult, Err: err,
		Message: fmt.Sprintf("redo log %q %s: %v; the transaction may be found decided at the next start, and no other is accepted before", l.path, what, err)}
}

// Done tells that every participant of the transaction has committed, durably
// unless OnTruncate's before sees to that. It empties the file when no
// transaction is under way and it has grown.
func (l *Log) Done(dtid string) {
	l.mu.Lock()
	delete(l.live, dtid)
	grown := l.size > l.keep
	gone, after := l.gone, l.after
	l.gone = nil
	l.mu.Unlock()
	select {
	case l.drained <- struct{}{}:
	default:
	}
	if len(gone) > 0 && after != nil {
		after(gone)
	}
	if grown {
		_ = l.empty()
	}
}

// Reset empties the file if no transaction is under way, whatever its size.
func (l *Log) Reset() error { return l.empty() }

// DTIDs lists the transactions whose records are in the file, under way or not.
func (l *Log) DTIDs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.logged)
}

// Transaction is one that is under way.
type Transaction struct {
	DTID         string
	Participants []tablet.Target
	Since        time.Time // when it came to the log, or was found in it
	Decided      bool      // its record is durable; else it is being written, or nobody knows
}

// Transactions lists those that are under way, the oldest first.
func (l *Log) Transactions() []Transaction {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Transaction, 0, len(l.live))
	for dtid, x := range l.live {
		t := Transaction{DTID: dtid, Since: x.since, Decided: x.decided}
		for _, r := range x.redos {
			t.Participants = append(t.Participants, tablet.Target{Keyspace: r.Keyspace, Shard: r.Shard})
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Transaction) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.DTID, b.DTID)
	})
	return out
}

// Live is the number of transactions under way.
func (l *Log) Live() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.live)
}

// Size is the file's size in bytes.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// idle says whether the file may be emptied. l.mu is held.
func (l *Log) idle() bool {
	return l.err == nil && !l.writing && len(l.live) == 0 && (l.size > int64(fileHeader) || l.loose == l.sync)
}

func (l *Log) empty() error {
	l.mu.Lock()
	if !l.idle() {
		err := l.err
		l.mu.Unlock()
		return err
	}
	before, after, appends := l.before, l.after, l.appends
	if before != nil {
		// Without the lock: it may wait for transactions that wait for Append.
		l.mu.Unlock()
		if err := before(); err != nil {
			return err
		}
		l.mu.Lock()
		if !l.idle() || l.appends != appends {
			l.mu.Unlock()
			return nil // there will be another Done
		}
	}
	dtids, err := l.truncate()
	l.mu.Unlock()
	if err == nil && after != nil {
		after(dtids)
	}
	return err
}

// truncate empties the file. Only when that is durable may markers be
// forgotten, or a record that comes back would be replayed twice.
func (l *Log) truncate() ([]string, error) {
	if err := l.clear(); err != nil {
		l.err = l.unknown("can't be emptied", err)
		return nil, l.err
	}
	dtids := l.logged
	l.logged, l.entries = nil, nil
	return dtids, nil
}

// Close closes the file. Nothing may be appended meanwhile or after.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = &tablet.Error{Code: tablet.CodeClosed, Message: "redo log " + strconv.Quote(l.path) + " is closed"}
	}
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	if err := f.Close(); err != nil {
		return l.ioError("can't be closed", err)
	}
	return nil
}
