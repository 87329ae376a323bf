package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peterh/liner"
)

// The prompts: of a statement, and of its further lines.
const (
	prompt  = "vitessdo> "
	further = "     -> "
)

// Prompt runs what a person types until he leaves. Errors are written, and it goes
// on. history is the file that keeps what was typed; "" keeps nothing. A signal
// other than an interrupt ends it.
func (s *Shell) Prompt(history string, signals <-chan os.Signal) (err error) {
	l := liner.NewLiner() // the terminal is the editor's until Close
	defer func() { err = errors.Join(err, l.Close()) }()
	l.SetCtrlCAborts(true)
	l.SetTabCompletionStyle(liner.TabPrints)
	kept, err := openHistory(history, l)
	if err != nil {
		s.complain(err)
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	var text string // what was entered of a statement
	l.SetWordCompleter(func(line string, at int) (head string, list []string, tail string) {
		runes := []rune(line)
		head, tail = string(runes[:at]), string(runes[at:])
		list = s.offer(text+head, tail)
		return head[:len(head)-len(lastWord(head))], list, tail
	})
	for {
		p := prompt
		if text != "" {
			p = further
		}
		line, err := read(l, p, signals)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			text = "" // what was typed is forgotten
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.Output.W)
			return nil
		case err != nil:
			return err
		}
		if text += line; !complete(text) {
			text += "\n"
			continue
		}
		if once := oneText(text); once != "" {
			l.AppendHistory(once)
			kept.add(once)
		}
		quit := s.typed(text)
		if text = ""; quit {
			return nil
		}
	}
}

// read gives a line, or ErrInterrupted when a signal to end comes first. A Ctrl-C
// that came too late for the last statement is dropped.
func read(l *liner.State, prompt string, signals <-chan os.Signal) (string, error) {
	type entered struct {
		line string
		err  error
	}
	came := make(chan entered, 1)
	go func() {
		line, err := l.Prompt(prompt)
		came <- entered{line, err}
	}()
	for {
		select {
		case e := <-came:
			return e.line, e.err
		case sig := <-signals:
			if sig != os.Interrupt {
				return "", ErrInterrupted
			}
		}
	}
}

// typed runs what was entered, and says whether it was the word to leave.
func (s *Shell) typed(text string) (quit bool) {
	var parts splitter
	for line := range strings.SplitSeq(text, "\n") {
		quit, err := s.take(&parts, "", line)
		if err != nil {
			// The line of a statement that was just typed tells nobody anything.
			if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "line ") {
				err = inner
			}
			s.complain(err)
			return false
		}
		if quit {
			return true
		}
	}
	return false
}

// complete says whether an entered text can run: nothing is begun and not ended.
func complete(text string) bool {
	var parts splitter
	for line := range strings.SplitSeq(text, "\n") {
		if !parts.pending() && isCommand(line) {
			continue
		}
		parts.line(line)
	}
	return !parts.pending()
}

// oneText is an entered text on one line, as the editor can give it back: without
// comments. It is "" where a line ends inside quotes.
func oneText(text string) string {
	var b strings.Builder
	for _, t := range tokens(text) {
		switch {
		case t.kind == tokenComment && !strings.HasPrefix(t.text, "/*"):
			t.text = " "
		case t.kind == tokenOther:
			t.text = strings.ReplaceAll(t.text, "\n", " ")
		}
		b.WriteString(t.text)
	}
	if strings.Contains(b.String(), "\n") {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// keptHistory appends to a file. Without one it does nothing.
type keptHistory struct{ file *os.File }

// openHistory reads what was typed before. Only its owner can read the file:
// statements hold values.
func openHistory(name string, l *liner.State) (keptHistory, error) {
	if name == "" {
		return keptHistory{}, nil
	}
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err != nil {
		return keptHistory{}, fmt.Errorf("no history is kept: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return keptHistory{}, fmt.Errorf("no history is kept: %w", err)
	}
	_, err = l.ReadHistory(f)
	return keptHistory{f}, err
}

// add writes at once, so that nothing is lost and shells side by side share it.
func (h keptHistory) add(text string) {
	if h.file != nil {
		_, _ = fmt.Fprintln(h.file, text)
	}
}

func (h keptHistory) Close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}

// The kinds of tokens that matter for colours and completion.
const (
	tokenOther = iota
	tokenWord
	tokenName // in backquotes
	tokenText
	tokenComment
)

type token struct {
	kind int
	text string
}

// tokens cuts a text so that its pieces together are the text again.
func tokens(text string) []token {
	var out []token
	for len(text) > 0 {
		kind, n := nextToken(text)
		out = append(out, token{kind, text[:n]})
		text = text[n:]
	}
	return out
}

func nextToken(text string) (kind, n int) {
	until := func(end string, from int) int {
		if i := strings.Index(text[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(text)
	}
	switch c := text[0]; {
	case c == '\'' || c == '"':
		return tokenText, until(string(c), 1)
	case c == '`':
		return tokenName, until("`", 1)
	case strings.HasPrefix(text, "/*"):
		return tokenComment, until("*/", 2)
	case c == '#' || strings.HasPrefix(text, "-- "):
		return tokenComment, until("\n", 1)
	}
	inWord := func(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	if n = strings.IndexFunc(text, func(r rune) bool { return !inWord(r) }); n > 0 {
		return tokenWord, n
	} else if n < 0 {
		return tokenWord, len(text)
	}
	_, size := utf8.DecodeRuneInString(text)
	return tokenOther, size
}
