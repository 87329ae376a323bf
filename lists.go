package vitessdo

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Arguments that are lists: x = ANY ($1) with three members is planned as x IN ($2, $3,
// $4) is, so that it goes to the shards of its members. A statement has a plan for
// each length that its lists have come in, rounded up where a member may stand in it
// twice.

// list is a list that was given as an argument; nil is NULL.
type list []any

// Value says what is wrong where a list was given and a value is wanted.
func (list) Value() (driver.Value, error) {
	return nil, errors.New("a list can be compared with by = ANY ($1) or made rows of by unnest ($1), and nothing else")
}

// asList makes a list of a slice, of any kind but bytes; ok is false for other values.
func asList(v any) (out list, ok bool, err error) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice || r.Type().Elem().Kind() == reflect.Uint8 {
		return nil, false, nil
	}
	if r.IsNil() {
		return nil, true, nil
	}
	out = make(list, r.Len())
	for i := range out {
		if out[i], err = argumentValue(r.Index(i).Interface()); err != nil {
			return nil, true, fmt.Errorf("member %d: %w", i+1, err)
		}
	}
	return out, true, nil
}

// membersOf gives the members of an argument that is to be a list.
func (s *session) membersOf(l sqlast.ListParam, args []driver.NamedValue) (list, error) {
	var text string
	switch v := args[l.Index].Value.(type) {
	case nil:
		return nil, nil
	case list:
		return v, nil
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return nil, newError(CodeDataType, "argument %d is a %T; it must be a list: a slice, or text that is one", l.Index+1, v)
	}
	out, err := s.dialect.Lists.Members(text)
	if err != nil {
		return nil, newError(CodeDataType, "argument %d: %v", l.Index+1, err)
	}
	return append(list{}, out...), nil
}

// planLists gives the plan for lists as long as these.
func (s *session) planLists(p *prepared, text string, args []driver.NamedValue) (*prepared, error) {
	lengths := make([]int, len(p.lists))
	for i, l := range p.lists {
		members, err := s.membersOf(l, args)
		if err != nil {
			return nil, err
		}
		if lengths[i] = roomFor(len(members), l.Exact); members == nil {
			lengths[i] = -1
		}
	}
	return s.plannedAs(fmt.Sprint(text, "\x00", lengths), nil, func() (*prepared, error) {
		st, err := s.dialect.Lists.Parse(text, lengths)
		if err != nil {
			return nil, inStatement(err, text)
		}
		total := st.Params
		for _, n := range lengths {
			total += max(n, 0)
		}
		given := st.Params
		st.Params = total
		out, err := s.planOf(st)
		if err != nil {
			return nil, inStatement(err, text)
		}
		out.params, out.lengths = given, lengths
		return out, nil
	})
}

// roomFor is how many members the plan for n of them has.
func roomFor(n int, exact bool) int {
	switch {
	case exact || n <= 2:
		return n
	case n > 4096:
		return (n + 1023) / 1024 * 1024
	}
	room := 4
	for room < n {
		room *= 2
	}
	return room
}

// takeLists is take for a statement with lists.
func (s *session) takeLists(p *prepared, args []driver.NamedValue) error {
	for i := range args {
		s.user = append(s.user, args[i].Value)
	}
	for i, l := range p.lists {
		members, err := s.membersOf(l, args)
		if err != nil {
			return err
		}
		s.user[l.Index] = nil
		s.user = append(s.user, members...)
		for range p.lengths[i] - len(members) {
			s.user = append(s.user, members[len(members)-1])
		}
	}
	return nil
}
