package vitessdo

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vschema"
)

// MySQL's numbers for databases that are there, or aren't.
const (
	mysqlDatabaseExists = 1007
	mysqlNoDatabase     = 1008
)

// createDatabase makes another keyspace. It has as many shards as the one that
// the session is in, unless a directive says SHARDS=n or UNSHARDED.
func (s *session) createDatabase(ctx context.Context, st *sqlast.CreateDatabase, whole *sqlparse.Statement) error {
	done, err := s.beginDatabase(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.plannedChange(ctx, func() error { return s.makeDatabase(ctx, st, whole) })
}

func (s *session) makeDatabase(ctx context.Context, st *sqlast.CreateDatabase, whole *sqlparse.Statement) error {
	if ks := s.snap.keyspaceOf(st.Name); ks != "" {
		e := newError(CodeTableExists, "can't create database '%s'; database exists", st.Name)
		e.Number, e.SQLState = mysqlDatabaseExists, "HY000"
		if st.IfNotExists {
			s.warn(levelNote, e.Number, e.Message)
			return nil
		}
		return e
	}
	k, err := s.newKeyspace(st.Name, whole.Directives)
	if err != nil {
		return err
	}
	v := &vschema.Keyspace{Name: k.Name, Sharded: k.Sharded, Auto: k.Sharded && s.snap.auto}
	return s.cl.createKeyspace(ctx, k, v)
}

// newKeyspace lays out what CREATE DATABASE is to make.
func (s *session) newKeyspace(name string, d sqlast.Directives) (topo.Keyspace, error) {
	_, unsharded := d["UNSHARDED"]
	shards, sharded := 1, !unsharded
	if text, ok := d["SHARDS"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > topo.MaxShards {
			return topo.Keyspace{}, newError(CodePlan, "directive SHARDS=%s: the number must be from 1 to %d", text, topo.MaxShards)
		}
		shards = n
	} else if m := s.snap.shards[s.keyspace]; m != nil && sharded {
		shards = len(m.Names)
		sharded = s.snap.vschema.Keyspaces[s.keyspace].Sharded
	}
	k, err := topo.NewKeyspace(name, shards, sharded)
	if err != nil {
		e := errorFrom(CodePlan, err, "%v", err)
		e.Number, e.SQLState = 1102, "42000"
		return k, e
	}
	return k, nil
}

// dropDatabase removes a keyspace with all that is in it.
func (s *session) dropDatabase(ctx context.Context, st *sqlast.DropDatabase) error {
	done, err := s.beginDatabase(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.plannedChange(ctx, func() error { return s.removeDatabase(ctx, st) })
}

func (s *session) removeDatabase(ctx context.Context, st *sqlast.DropDatabase) error {
	ks := s.snap.keyspaceOf(st.Name)
	switch {
	case ks == "" && st.IfExists:
		s.warn(levelNote, mysqlNoDatabase, "can't drop database '"+st.Name+"'; database doesn't exist")
		return nil
	case ks == "":
		e := newError(CodeUnknownDatabase, "can't drop database '%s'; database doesn't exist", st.Name)
		e.Number, e.SQLState = mysqlNoDatabase, "HY000"
		return e
	case ks == s.cl.first:
		return newError(CodeUnsupported, "database %s can't be dropped: it is the one that connections begin in; drop its tables", ks)
	}
	if v := s.viewInto(ks); v != "" {
		return newError(CodeUnsupported, "database %s can't be dropped: view %s reads from it; drop the view first", ks, v)
	}
	change, err := ddl.Plan(st, s.snap.schema, s.snap.vschema, s.ddlOptions(ks))
	if err != nil {
		return err
	}
	left, err := s.dropKeyspace(ctx, ks, change)
	if err != nil {
		return err
	}
	if left != nil {
		s.warn(levelWarning, mysqlErrors[CodeIO].number, "database "+ks+" is dropped; its files are removed when the directory is opened next: "+left.Error())
	}
	if s.keyspace == ks {
		s.keyspace, s.shard, s.used = "", -1, true
	}
	return nil
}

// viewInto names a view of another keyspace that names ks, "" if there is none.
func (s *session) viewInto(ks string) string {
	for _, other := range s.snap.keyspaces() {
		for _, v := range s.snap.schema.Views(other) {
			found := false
			sqlast.EachRef(v.Query, func(t *sqlast.TableRef) { found = found || t.Schema == ks })
			if found && other != ks {
				return other + "." + v.Name
			}
		}
	}
	return ""
}

// beginDatabase does what comes before a change of databases, as before any
// schema change: the session's transaction is committed, and no other change
// runs until the function that it gives is called.
func (s *session) beginDatabase(ctx context.Context) (done func(), err error) {
	if s.readsOnly() {
		return nil, newError(CodeTxReadOnly, "cannot create or drop a database in a READ ONLY transaction")
	}
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	s.warnings = nil
	return s.inTurn(ctx)
}

// ddlKeyspace says which keyspace a schema change is about, and qualifies the
// names of what it changes by it: one statement changes one keyspace.
func (s *session) ddlKeyspace(stmt sqlast.Stmt) (string, error) {
	ks := ""
	for _, schema := range ddlNames(stmt) {
		own := *schema
		if own == "" {
			own = s.keyspace
		} else if own = s.snap.keyspaceOf(own); own == "" {
			return "", newError(CodeUnknownDatabase, "unknown database '%s'; there is %s", *schema, strings.Join(s.snap.keyspaces(), ", "))
		}
		if own == "" {
			return "", noDatabase()
		}
		if ks != "" && own != ks {
			return "", newError(CodeUnsupported, "the statement names tables of databases %s and %s; a schema change is about one at a time", ks, own)
		}
		ks, *schema = own, own
	}
	if ks == "" {
		ks = s.keyspace
	}
	if ks == "" {
		return "", noDatabase()
	}
	return ks, nil
}

func noDatabase() error {
	e := newError(CodeNoDatabase, "no database selected")
	e.Number, e.SQLState = 1046, "3D000"
	return e
}

// ddlNames gives the qualifiers of the names that a schema change is about.
func ddlNames(stmt sqlast.Stmt) (out []*string) {
	add := func(list ...*sqlast.TableRef) {
		for _, t := range list {
			if t != nil {
				out = append(out, &t.Schema)
			}
		}
	}
	switch st := stmt.(type) {
	case *sqlast.CreateTable:
		out = append(out, &st.Schema)
		add(st.Like)
	case *sqlast.DropTable:
		add(st.Tables...)
	case *sqlast.AlterTable:
		add(st.Table)
		for i := range st.Specs {
			if st.Specs[i].Kind == sqlast.AlterRename {
				out = append(out, &st.Specs[i].NewSchema)
			}
		}
	case *sqlast.CreateIndex:
		add(st.Table)
	case *sqlast.DropIndex:
		add(st.Table)
	case *sqlast.Truncate:
		add(st.Table)
	case *sqlast.RenameTable:
		add(st.From...)
		add(st.To...)
	case *sqlast.CreateView:
		add(st.View)
	case *sqlast.AlterVSchema:
		add(st.Table)
		if st.Table == nil {
			add(st.Sequence)
		}
	}
	return out
}

// qualifyFor makes the bare names in the query of a view or of CREATE TABLE … AS
// SELECT mean what they mean to the session, when the relation itself is of
// another keyspace.
func (s *session) qualifyFor(stmt sqlast.Stmt, ks string) error {
	if ks == s.keyspace {
		return nil
	}
	switch st := stmt.(type) {
	case *sqlast.CreateTable:
		if st.Query != nil {
			for _, ref := range sqlast.BareRefs(st.Query) {
				ref.Schema = s.keyspace
			}
		}
	case *sqlast.CreateView:
		return s.qualifyView(st)
	}
	return nil
}

// qualifyView writes the session's keyspace before the bare names in the text
// that a view is kept as.
func (s *session) qualifyView(v *sqlast.CreateView) error {
	parsed, err := sqlparse.Parse(v.QueryText, s.modes)
	if err != nil {
		return err
	}
	q, ok := parsed.Stmt.(sqlast.Query)
	if !ok {
		return nil // checkView tells
	}
	bare := sqlast.BareRefs(q)
	if len(bare) == 0 {
		return nil
	}
	if s.keyspace == "" {
		return noDatabase()
	}
	slices.SortFunc(bare, func(a, b *sqlast.TableRef) int { return b.Pos - a.Pos })
	text := parsed.Text
	for _, t := range bare {
		text = text[:t.Pos] + "`" + s.keyspace + "`." + text[t.Pos:]
	}
	again, err := sqlparse.Parse(text, s.modes)
	if err == nil {
		q, ok = again.Stmt.(sqlast.Query)
	}
	if err != nil || !ok || len(sqlast.BareRefs(q)) > 0 {
		return newError(CodeUnsupported, "view %s is to be in another database than the session's: write its tables with their databases, as %s.%s",
			v.View.Name, s.keyspace, bare[len(bare)-1].Name)
	}
	v.QueryText, v.Query = text, q
	return nil
}
