package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// house is what the engine keeps for the tablet, and functions that tables name. The row
// that is moved on is another one than that which writers take, and hold.
const house = `
CREATE TABLE IF NOT EXISTS _vt_meta(id smallint PRIMARY KEY CHECK (id = 1), schema bigint NOT NULL, turn bigint NOT NULL, owner text);
INSERT INTO _vt_meta(id, schema, turn) VALUES(1, 0, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS _vt_lease(id smallint PRIMARY KEY CHECK (id = 1), owner text, expires timestamptz);
INSERT INTO _vt_lease(id) VALUES(1) ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION _vt_next_row(t regclass) RETURNS bigint LANGUAGE plpgsql AS $f$
	DECLARE n bigint;
	BEGIN
		EXECUTE format('SELECT coalesce(max(_vt_rowid), 0) + 1 FROM %s', t) INTO n;
		RETURN n;
	END $f$;
CREATE OR REPLACE FUNCTION _vt_json_valid(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
	BEGIN
		RETURN t IS NULL OR t::json IS NOT NULL;
	EXCEPTION WHEN others THEN
		RETURN false;
	END $f$;
`

// row is the [lease.Store] of a schema. Each request has a connection of its own, so that
// none waits for a transaction; where there is one session only, all do.
type row struct {
	e      *Engine
	schema string // "" is the database's own
}

// Claim implements [lease.Store]; it makes what isn't there yet.
func (r row) Claim(ctx context.Context, owner string, until time.Duration, steal bool) (left time.Duration, err error) {
	c, done, err := r.e.line(ctx)
	if err != nil {
		return 0, r.e.opening(err)
	}
	defer done()
	if enc := c.ParameterStatus("server_encoding"); enc != "" && enc != "UTF8" {
		return 0, &tablet.Error{Code: tablet.CodeMisuse, Message: r.e.o.Name + " has the encoding " + enc + "; only a database with UTF8 keeps all text"}
	}
	text := "BEGIN;"
	if r.schema != "" && r.schema != "public" && r.schema != "$user" {
		text += `CREATE SCHEMA IF NOT EXISTS "` + strings.ReplaceAll(r.schema, `"`, `""`) + `";`
	}
	// Two that open at once wait for each other here.
	text += "SELECT pg_advisory_xact_lock(hashtext('_vt_meta'), hashtext(current_schema()));" + house +
		"SELECT coalesce(extract(epoch FROM expires - clock_timestamp()), 0)::float8 FROM _vt_lease WHERE owner IS NOT NULL"
	results, err := c.Exec(ctx, text).ReadAll()
	if err != nil {
		return 0, r.e.opening(err)
	}
	if last := results[len(results)-1].Rows; len(last) > 0 && !steal {
		seconds, err := strconv.ParseFloat(string(last[0][0]), 64)
		if err != nil || seconds > 0 {
			return time.Duration(seconds * float64(time.Second)), err
		}
	}
	// The row of _vt_meta waits for what its last owner has open.
	_, err = c.Exec(ctx, "UPDATE _vt_meta SET owner = '"+owner+"'; UPDATE _vt_lease SET owner = '"+owner+"', expires = "+end(until)+"; COMMIT").ReadAll()
	return 0, r.e.opening(err)
}

// Renew implements [lease.Store].
func (r row) Renew(ctx context.Context, owner string, until time.Duration) (still bool, err error) {
	n, err := r.once(ctx, "UPDATE _vt_lease SET expires = "+end(until)+" WHERE owner = '"+owner+"'")
	return n > 0, err
}

// Release implements [lease.Store].
func (r row) Release(ctx context.Context, owner string) error {
	_, err := r.once(ctx, "UPDATE _vt_lease SET owner = NULL WHERE owner = '"+owner+"'")
	return err
}

// end is a time from now by the server's clock.
func end(until time.Duration) string {
	return fmt.Sprintf("clock_timestamp() + interval '%d milliseconds'", until.Milliseconds())
}

// once runs a statement, and tells how many rows it changed.
func (r row) once(ctx context.Context, text string) (int64, error) {
	c, done, err := r.e.line(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	results, err := c.Exec(ctx, text).ReadAll()
	if err != nil {
		return 0, err
	}
	return results[0].CommandTag.RowsAffected(), nil
}
