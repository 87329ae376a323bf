package sim

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts plays the schedules of testdata: "play" runs its input's commands,
// a line each, and prints what happens. A script that is healed is checked.
//
//	world shards=N gates=N [log] [replay]   what there is; replay: no engine holds a prepared transaction
//	begin GATE SHARD…                       a transaction that has written, and its commit
//	deliver|lose|double [WORD…]             the oldest message whose text has all the words; all of them without words
//	disk NODE [fails|unknown]               the oldest write that is on its way
//	crash NODE [kept]                       kept: what was on its way to the disk gets there
//	restart NODE, tick NODE tN, heal
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var w *World
		var out strings.Builder
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out.Reset()
			for line := range strings.SplitSeq(d.Input, "\n") {
				words := strings.Fields(line)
				if words[0] == "world" {
					w = scriptWorld(words[1:], func(s string) { fmt.Fprintln(&out, s) })
					continue
				}
				if err := w.command(words[0], words[1:]); err != nil {
					d.Fatalf(t, "%s: %v", line, err)
				}
			}
			if w.failed != nil {
				t.Errorf("%s: %v", d.Pos, w.failed)
			}
			return out.String()
		})
	})
}

func scriptWorld(words []string, trace func(string)) *World {
	o := Options{Gates: 1, Trace: trace}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "shards":
			o.Shards = n
		case "gates":
			o.Gates = n
		case "log":
			o.SharedLog = true
		case "replay":
			o.Replays = func(int) bool { return true }
		}
	}
	return New(o)
}

func (w *World) command(name string, args []string) error {
	switch name {
	case "begin":
		g, err := w.address(args[0])
		if err != nil {
			return err
		}
		var shards []int
		for _, a := range args[1:] {
			s, err := w.address(a)
			if err != nil {
				return err
			}
			shards = append(shards, int(s))
		}
		if !w.start(int(-1-g), shards) {
			return fmt.Errorf("a shard is locked or down")
		}
		return nil
	case "deliver", "lose", "double":
		return w.pick(name, args)
	case "heal":
		w.heal(nil)
		w.check()
		return nil
	}
	at, err := w.address(args[0])
	if err != nil {
		return err
	}
	switch name {
	case "disk":
		end := works
		if len(args) > 1 {
			end = map[string]ending{"fails": fails, "unknown": nobodyKnows}[args[1]]
		}
		if at == theLog {
			w.log.complete(w, end)
		} else {
			w.complete(w.shards[at], end)
		}
	case "crash":
		kept := func() bool { return len(args) > 1 }
		if w.o.SharedLog {
			w.crashAll(kept)
		} else {
			w.crash(at, kept)
		}
	case "restart":
		if w.o.SharedLog {
			w.restartAll()
		} else {
			w.restart(at)
		}
	case "tick":
		n, err := strconv.Atoi(strings.TrimPrefix(args[1], "t"))
		if err != nil {
			return err
		}
		w.tick(at, w.txs[n])
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// pick delivers, loses or doubles.
func (w *World) pick(name string, words []string) error {
	if len(words) == 0 {
		for len(w.net) > 0 {
			if err := w.pickAt(name, 0); err != nil {
				return err
			}
		}
		return nil
	}
	for i, p := range w.net {
		text := fmt.Sprintf("%s → %s: %s t%d", w.name(p.from), w.name(p.to), p.msg, p.tx)
		found := true
		for _, word := range words {
			found = found && strings.Contains(" "+strings.ReplaceAll(text, ":", "")+" ", " "+word+" ")
		}
		if found {
			return w.pickAt(name, i)
		}
	}
	return fmt.Errorf("no such message")
}

func (w *World) pickAt(name string, i int) error {
	p := w.net[i]
	if name == "double" {
		w.net = append(w.net, p)
		return nil
	}
	w.net = append(w.net[:i:i], w.net[i+1:]...)
	if name == "lose" {
		w.tracef("%s → %s: %s t%d is lost", w.name(p.from), w.name(p.to), p.msg, p.tx)
		return nil
	}
	w.deliver(p)
	return nil
}

func (w *World) address(name string) (address, error) {
	if name == "log" && w.log != nil {
		return theLog, nil
	}
	for i, g := range w.gates {
		if g.name == name {
			return gateAt(i), nil
		}
	}
	for i, s := range w.shards {
		if s.name == name {
			return address(i), nil
		}
	}
	return 0, fmt.Errorf("there is no %s", name)
}
