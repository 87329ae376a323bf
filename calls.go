package vitessdo

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Call implements exec.Session: the functions that do something. They do it once for
// a statement, however often that is planned anew as the schema changes under it: a
// lock that were taken twice would have to be released twice.
func (s *session) Call(ctx context.Context, name string, args []any) (any, error) {
	if s.calling < len(s.called) {
		s.calling++
		return s.called[s.calling-1], nil
	}
	v, err := s.call(ctx, name, args)
	if err == nil {
		s.called = append(s.called, v)
		s.calling++
	}
	return v, err
}

func (s *session) call(ctx context.Context, name string, args []any) (any, error) {
	switch name {
	case "sleep":
		return s.sleep(ctx, args[0])
	case "last_insert_id":
		n, _ := integerOf(args[0])
		s.lastInsertID = n
		if args[0] == nil {
			return nil, nil
		}
		return n, nil
	case "release_all_locks":
		return s.releaseLocks(), nil
	}
	lock, err := lockName(args[0])
	if err != nil {
		return nil, err
	}
	switch name {
	case "get_lock":
		wait, ok := numberOf(args[1])
		if !ok {
			wait = 0
		}
		got, err := s.getLock(ctx, lock, wait)
		return boolean(got), err
	case "release_lock":
		return s.releaseLock(lock), nil
	case "is_free_lock":
		id, err := s.lockOwner(ctx, lock)
		return boolean(id == 0), err
	case "is_used_lock":
		if id, err := s.lockOwner(ctx, lock); id != 0 || err != nil {
			return int64(id), err
		}
		return nil, nil
	}
	return nil, newError(CodeInternal, "the session knows no function %s", name)
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// sleep waits as SLEEP(n) does.
func (s *session) sleep(ctx context.Context, v any) (any, error) {
	n, ok := numberOf(v)
	if !ok || n < 0 {
		e := newError(CodePlan, "incorrect argument to SLEEP: %v; it takes seconds, 0 or more", v)
		e.Number = mysqlBadArgument
		return nil, e
	}
	t := time.NewTimer(time.Duration(min(n, 1e9) * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return int64(0), nil
	case <-ctx.Done():
		return nil, errorFrom(CodeCanceled, ctx.Err(), "SLEEP was interrupted: %v", ctx.Err())
	case <-s.cl.life.Done():
		return nil, newError(CodeClosed, "the database is closed")
	}
}

// asText is a value as text; false for NULL.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}

// numberOf is a value as a number; false for NULL and for other text.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	text, ok := asText(v)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil
}

func integerOf(v any) (int64, bool) {
	if n, ok := v.(int64); ok {
		return n, true
	}
	n, ok := numberOf(v)
	return int64(n), ok
}
