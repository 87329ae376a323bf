package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// stmt is a statement's text with what is bound.
type stmt struct {
	c        *conn
	text     string
	source   string // of text, where its places may be numbered otherwise
	params   []occurrence
	kind     tabletserver.Kind
	readOnly bool
	upsert   bool   // an insert may have updated instead, and tells
	version  uint64 // of the schema, that it sets
	args     []tablet.Value
	rows     *result // nil before the first step
}

var (
	_ tabletserver.Stmt = (*stmt)(nil)
	_ tabletserver.Rest = (*stmt)(nil)
)

// The version of the schema as the tablet asks for it.
const (
	getVersion = "PRAGMA user_version"
	setVersion = "PRAGMA user_version="
)

// ofRedos are the tablet's statements that change nothing that a client reads, whose tables'
// names are in quotes.
var ofRedos = regexp.MustCompile(`^(?:INSERT INTO|DELETE FROM|CREATE TABLE IF NOT EXISTS) _vt_redo\b`)

// Prepare implements [tabletserver.Conn]. It doesn't ask the database.
func (c *conn) Prepare(text string) (tabletserver.Stmt, error) {
	s := &stmt{c: c, kind: tabletserver.KindOf(text)}
	switch v, sets := strings.CutPrefix(text, setVersion); {
	case text == getVersion:
		s.text, s.readOnly = "SELECT schema FROM _vt_meta", true
		return s, nil
	case sets:
		version, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return nil, &tablet.Error{Code: tablet.CodeSyntax, Message: "the schema's version is " + v, Err: err}
		}
		s.version, s.text = version, "UPDATE _vt_meta SET schema = "+v
		return s, nil
	case s.kind == tabletserver.KindPragma:
		return nil, &tablet.Error{Code: tablet.CodeUnsupported, Message: c.e.o.Name + " has no answer to " + text + "; PostgreSQL's own tools look its tables over"}
	}
	s.text, s.params = translate(text, false)
	s.source = text
	s.readOnly = s.kind == tabletserver.KindRead || s.kind == tabletserver.KindControl || s.kind == tabletserver.KindWith
	if s.kind == tabletserver.KindInsert && strings.Contains(text, " ON CONFLICT") && strings.Contains(text, " DO UPDATE ") && !strings.Contains(text, " RETURNING ") {
		s.upsert, s.text = true, s.text+" RETURNING (xmax = 0)"
		s.source += " RETURNING (xmax = 0)"
	}
	return s, nil
}

// Kind implements [tabletserver.Stmt].
func (s *stmt) Kind() tabletserver.Kind { return s.kind }

// ReadOnly implements [tabletserver.Stmt]. What begins with WITH reads: the gate has no
// writes that do.
func (s *stmt) ReadOnly() bool { return s.readOnly }

// Release implements [tabletserver.Stmt].
func (s *stmt) Release() {
	s.leave()
	s.args = nil
}

// leave lets go of the rows that are left.
func (s *stmt) leave() {
	if s.rows != nil {
		s.c.leave(s.rows)
		s.rows = nil
	}
}

// Columns implements [tabletserver.Stmt].
func (s *stmt) Columns() []string {
	if s.rows == nil {
		return nil
	}
	return s.rows.columns
}

// Bind implements [tabletserver.Stmt].
func (s *stmt) Bind(args []tablet.Value) error {
	s.leave()
	s.args = args
	for _, p := range s.params {
		if p.arg >= len(args) {
			return &tablet.Error{Code: tablet.CodeMisuse,
				Message: fmt.Sprintf("the statement uses parameter %d, but %d values were given", p.arg+1, len(args))}
		}
	}
	return nil
}

// Step implements [tabletserver.Stmt].
func (s *stmt) Step() (bool, error) {
	if s.rows == nil {
		if err := s.ask(); err != nil {
			return false, err
		}
		if !s.readOnly {
			s.c.changes += s.rows.changed
			s.c.wrote, s.c.moves = true, s.c.moves || !ofRedos.MatchString(s.text)
		}
	}
	return s.rows.step(s.c)
}

// ask runs the statement.
func (s *stmt) ask() error {
	ctx := s.c.ctx
	if s.c.one == nil {
		if err := s.c.e.lease.Held(); err != nil {
			return err
		}
	}
	if !s.readOnly && s.c.lazy.on {
		if err := s.c.known(ctx); err != nil {
			return err
		}
	}
	if !s.readOnly && s.c.open && s.c.claimed == 0 {
		if err := s.c.claim(ctx, ""); err != nil {
			return err
		}
	}
	return s.c.do(ctx, func(ctx context.Context) (err error) {
		if err := s.c.see(); err != nil {
			return err
		}
		s.rows, err = s.c.execute(ctx, s)
		return err
	})
}

// Row implements [tabletserver.Stmt].
func (s *stmt) Row(dest []tablet.Value) error {
	row := s.rows.row()
	if len(dest) != len(row) {
		return &tablet.Error{Code: tablet.CodeMisuse,
			Message: fmt.Sprintf("the row has %d columns, the destination %d", len(row), len(dest))}
	}
	copy(dest, row)
	return nil
}

// Rest implements [tabletserver.Rest].
func (s *stmt) Rest() (rows [][]tablet.Value, all bool) {
	if s.rows.more {
		return nil, false
	}
	return s.rows.rest(), true
}

// Int implements [tabletserver.Stmt].
func (s *stmt) Int() (int64, error) {
	if ok, err := s.Step(); err != nil || !ok {
		if err == nil {
			err = &tablet.Error{Code: tablet.CodeInternal, Message: "no row came from " + s.text}
		}
		return 0, err
	}
	n, _ := s.rows.row()[0].(int64)
	return n, nil
}

// Exec implements [tabletserver.Stmt].
func (s *stmt) Exec(args []tablet.Value) error {
	_, _, err := s.Run(args)
	return err
}

// Run implements [tabletserver.Stmt]. Of a row that was inserted it tells no ID but that
// there is one.
func (s *stmt) Run(args []tablet.Value) (changed, lastID int64, err error) {
	if err := s.Bind(args); err != nil {
		return 0, 0, err
	}
	if _, err := s.Step(); err != nil || s.readOnly {
		return 0, 0, err
	}
	if s.version != 0 {
		s.c.version = s.version
		return 0, 0, nil
	}
	switch changed = s.rows.changed; {
	case s.kind == tabletserver.KindOther:
		return 0, 0, nil
	case s.kind != tabletserver.KindInsert:
		return changed, 0, nil
	case s.upsert:
		lastID = tablet.NoRowID
		for _, row := range s.rows.rest() {
			if row[0] == int64(1) {
				lastID = 0
			}
		}
	case changed == 0:
		lastID = tablet.NoRowID
	}
	return changed, lastID, nil
}

// cache keeps the statements that a connection has prepared.
type cache struct {
	schemas int64 // of the engine, when they were
	by      map[string]*prepared
	apart   map[string]bool // texts whose arguments have a number at each place
	order   []string        // oldest first
	stale   []string        // names of statements that the server has yet, and nobody uses
	next    int
}

// forget has all statements prepared anew from now on.
func (c *cache) forget() {
	for _, p := range c.by {
		if !p.undecided {
			c.stale = append(c.stale, p.d.Name)
		}
	}
	c.by, c.order, c.apart = nil, nil, nil
}

// prepared is a statement as the server has it.
type prepared struct {
	d *pgconn.StatementDescription
	// undecided: the server can't tell what types parameters have.
	undecided bool
}

// most is how many statements a connection keeps.
const most = 256

// need gives a statement that takes the values of s, and these.
func (c *conn) need(ctx context.Context, s *stmt) (*prepared, []value, error) {
	if now := c.e.schemas.Load(); c.cache.schemas != now {
		c.cache.forget()
		c.cache.schemas = now
	}
	if c.cache.apart[s.text] {
		s.setApart()
	}
	oids := make([]uint32, len(s.params))
	p, err := c.prepare(ctx, s.text, oids)
	if err != nil {
		if !s.shared() || !mistyped(err) {
			return nil, nil, err
		}
		// The server takes one argument for two types.
		if c.cache.apart == nil {
			c.cache.apart = map[string]bool{}
		}
		c.cache.apart[s.text] = true
		s.setApart()
		if err := c.again(ctx); err != nil {
			return nil, nil, err
		}
		oids = make([]uint32, len(s.params))
		if p, err = c.prepare(ctx, s.text, oids); err != nil {
			return nil, nil, err
		}
	}
	values := make([]value, len(s.params))
	for range 3 {
		again := false
		for i, o := range s.params {
			oid := uint32(oidUnknown)
			if !p.undecided {
				oid = p.d.ParamOIDs[i]
			}
			if values[i], err = c.e.encode(s.args[o.arg], oid, o.byValue && oids[i] == 0); err != nil {
				return nil, nil, err
			}
			if want := values[i].oid; want != 0 && want != oid {
				oids[i], again = want, true
			} else if p.undecided && want == 0 {
				oids[i] = oidText
			}
		}
		if !again && !p.undecided {
			return p, values, nil
		}
		if p, err = c.prepare(ctx, s.text, oids); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, &tablet.Error{Code: tablet.CodeDataType, Message: "the types of the arguments can't be brought together: " + s.text}
}

// shared says whether an argument stands at several places under one number.
func (s *stmt) shared() bool {
	return s.source != "" && strings.Count(s.text, "$") > len(s.params)
}

// setApart gives each place of an argument a number of its own.
func (s *stmt) setApart() {
	if s.source != "" {
		s.text, s.params = translate(s.source, true)
		s.source = ""
	}
}

// mistyped says whether an error may be that of an argument's type.
func mistyped(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "42883" || e.Code == "42P08" || e.Code == "42804" || e.Code == "42725")
}

// prepare has a text prepared with types for its parameters, 0 where the server says them.
func (c *conn) prepare(ctx context.Context, text string, oids []uint32) (*prepared, error) {
	key := text
	known := len(oids) == 0
	for _, o := range oids {
		if known = o != 0; !known {
			break
		}
	}
	for _, o := range oids {
		if o != 0 {
			key += "\x00" + fmt.Sprint(oids)
			break
		}
	}
	if p := c.cache.by[key]; p != nil {
		return p, nil
	}
	c.cache.next++
	name := fmt.Sprintf("vt_%s_%d_%d", c.e.lease.Owner()[:8], c.id, c.cache.next)
	d, err := c.c.Prepare(ctx, name, text, oids)
	p := &prepared{d: d}
	if err != nil {
		var e *pgconn.PgError
		if known || !errors.As(err, &e) || e.Code != "42P18" && e.Code != "42P08" {
			return nil, err
		}
		p.undecided = true
		if err := c.again(ctx); err != nil {
			return nil, err
		}
	}
	if c.cache.by == nil {
		c.cache.by = map[string]*prepared{}
	}
	if len(c.cache.order) >= most {
		oldest := c.cache.order[0]
		if old := c.cache.by[oldest]; !old.undecided {
			c.cache.stale = append(c.cache.stale, old.d.Name)
		}
		delete(c.cache.by, oldest)
		c.cache.order = c.cache.order[1:]
	}
	c.cache.by[key] = p
	c.cache.order = append(c.cache.order, key)
	if n := len(c.cache.stale) - 1; n >= 0 && !p.undecided {
		if err := c.c.Deallocate(ctx, c.cache.stale[n]); err != nil {
			return nil, err // with the connection, that is: it is being closed
		}
		c.cache.stale = c.cache.stale[:n]
	}
	return p, nil
}

// The savepoint of one statement, which leaves its transaction as it was when it fails.
const (
	save    = "SAVEPOINT _vt_one"
	unsave  = "RELEASE _vt_one"
	restore = "ROLLBACK TO _vt_one"
)

// again makes a transaction usable in which a statement could not be prepared.
func (c *conn) again(ctx context.Context) error {
	if !c.open {
		return nil
	}
	return c.c.Exec(ctx, restore).Close()
}

// execute runs a statement, in a transaction within a savepoint.
func (c *conn) execute(ctx context.Context, s *stmt) (out *result, err error) {
	if s.kind == tabletserver.KindOther && len(s.params) == 0 {
		text := s.text
		if c.open {
			// By itself: a text that can't be parsed does nothing at all.
			if err := c.c.Exec(ctx, save).Close(); err != nil {
				return nil, err
			}
			text += ";" + unsave
		}
		err = c.c.Exec(ctx, text).Close()
		c.cache.forget() // it may have changed what they read
		c.repair(ctx, err)
		return &result{}, err
	}
	saved := false
	p := c.cached(s)
	if p == nil && c.open {
		if err := c.c.Exec(ctx, save).Close(); err != nil {
			return nil, err
		}
		saved = true
	}
	p, values, err := c.need(ctx, s)
	if err != nil {
		if saved {
			c.repair(ctx, err)
		}
		return nil, err
	}
	bind := &pgproto3.Bind{
		PreparedStatement: p.d.Name, Parameters: make([][]byte, len(values)), ParameterFormatCodes: make([]int16, len(values)), ResultFormatCodes: formats(p.d.Fields),
	}
	for i, v := range values {
		bind.Parameters[i], bind.ParameterFormatCodes[i] = v.data, v.format
	}
	out = newResult(p.d.Fields)
	switch {
	case !s.readOnly:
	case c.one != nil && !c.open:
		out.on, out.ask, out.whole, out.portal = c.c, firstPortion, true, c.one.portal()
		bind.DestinationPortal = out.portal
	default:
		out.ask = firstPortion
		c.hold(out)
		bind.DestinationPortal = out.portal
	}
	if err := c.fetch(ctx, out, bind, saved); err != nil {
		c.leave(out)
		return nil, err
	}
	if out.whole {
		if err := c.all(ctx, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cached gives what is prepared of a statement already, where nothing else has to be.
func (c *conn) cached(s *stmt) *prepared {
	if c.cache.schemas != c.e.schemas.Load() {
		return nil
	}
	p := c.cache.by[s.text]
	if p == nil || p.undecided {
		return nil
	}
	for i, o := range s.params {
		v, err := c.e.encode(s.args[o.arg], p.d.ParamOIDs[i], o.byValue)
		if err != nil || v.oid != 0 && v.oid != p.d.ParamOIDs[i] {
			return nil
		}
	}
	return p
}

// repair takes back what a statement that failed has done of its transaction.
func (c *conn) repair(ctx context.Context, err error) {
	if err == nil || !c.open || c.c.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.e.o.Timeout)
	defer cancel()
	if c.c.Exec(ctx, restore+";"+unsave).Close() != nil {
		_ = c.c.Close(ctx)
	}
}
