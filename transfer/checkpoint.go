package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vitessdo/vitessdo"
)

// checkpoint is how far an import has come. It is written with what it is about, in one
// transaction.
type checkpoint struct {
	name    string // what the import is known by
	place   int64  // in the source
	line    int64  // lines before that
	rows    int64
	rejects int64 // the length of the file of rejects, which the tables of a SQLite file share
	begun   bool  // a dump's statement at place, which changes the schema: it may be done
	done    bool  // a SQLite table: all its rows are written
}

const checkpoints = "vitessdo_import"

const createCheckpoints = `CREATE TABLE IF NOT EXISTS ` + checkpoints + ` (name VARCHAR(64) PRIMARY KEY, source VARCHAR(1024) NOT NULL, head VARCHAR(64) NOT NULL,
 place BIGINT NOT NULL, line BIGINT NOT NULL, row_count BIGINT NOT NULL, rejects BIGINT NOT NULL, begun TINYINT NOT NULL, done TINYINT NOT NULL) COMMENT 'unsharded'`

func digest(parts ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:16])
}

// identify names the import by its source and what it was told.
func (im *importer) identify() (name, source string, err error) {
	source = im.Source
	if source != "-" {
		if source, err = filepath.Abs(source); err != nil {
			return "", "", err
		}
	}
	return digest(source, im.Format, im.what, im.Text, im.Names, im.Columns), source, nil
}

// mark tells a source by its beginning, as far as that was taken in: what is behind may
// be mended. A table of SQLite, of which place is a rowid, is known by its name alone.
func (im *importer) mark(place int64) string {
	return digest(im.head[:max(0, min(place, int64(len(im.head))))])
}

// openCheckpoint finds how far an interrupted import has come, or begins one.
func (im *importer) openCheckpoint(ctx context.Context) error {
	name, source, err := im.identify()
	if err != nil {
		return err
	}
	if _, err := im.conn.ExecContext(ctx, createCheckpoints); err != nil {
		return fmt.Errorf("table %s, which tells how far an import has come, can't be made: %w", checkpoints, err)
	}
	im.at = checkpoint{name: name, rejects: im.at.rejects}
	if im.Restart {
		if _, err := im.conn.ExecContext(ctx, "DELETE FROM "+checkpoints+" WHERE name = ?", name); err != nil {
			return err
		}
	}
	var was string
	err = im.conn.QueryRowContext(ctx, "SELECT head, place, line, row_count, rejects, begun, done FROM "+checkpoints+" WHERE name = ?", name).
		Scan(&was, &im.at.place, &im.at.line, &im.at.rows, &im.at.rejects, &im.at.begun, &im.at.done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = im.conn.ExecContext(ctx, "INSERT INTO "+checkpoints+" VALUES (?, ?, ?, 0, 0, 0, ?, 0, 0)", name, source, im.mark(0), im.at.rejects)
		return err
	case err != nil:
		return err
	case was != im.mark(im.at.place):
		return fmt.Errorf("an import of %s was interrupted after %d rows, and the source begins differently now; give it the same source, or begin anew with restart", source, im.at.rows)
	}
	im.out.Resumed = im.out.Resumed || im.at.place > 0
	im.out.Before += im.at.rows
	return nil
}

// resume begins with src where an interrupted import has come. header goes before the
// first reject.
func (im *importer) resume(ctx context.Context, src records, header []byte) error {
	if err := im.openCheckpoint(ctx); err != nil {
		return err
	}
	if im.out.Resumed {
		if err := src.skip(im.at.place, im.at.line); err != nil {
			return fmt.Errorf("%s ends before the place that an interrupted import had reached: %w", im.Source, err)
		}
	}
	return im.openRejects(header)
}

// save writes how far the import has come.
func (im *importer) save(ctx context.Context, q querier, to checkpoint) error {
	res, err := q.ExecContext(ctx, "UPDATE "+checkpoints+" SET head = ?, place = ?, line = ?, row_count = ?, rejects = ?, begun = ?, done = ? WHERE name = ?",
		im.mark(to.place), to.place, to.line, to.rows, to.rejects, to.begun, to.done, to.name)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 && to != im.at {
		return fmt.Errorf("table %s has lost its row about this import, which another one may have ended; begin anew", checkpoints)
	}
	return nil
}

// closeCheckpoints ends an import, of which nothing is left to tell, with one statement:
// a crash leaves all its checkpoints or none. The table goes with the last import's.
func (im *importer) closeCheckpoints(ctx context.Context, names ...any) error {
	others, err := im.otherCheckpoints(ctx, names)
	if err == nil && others {
		if _, err = im.conn.ExecContext(ctx, "DELETE FROM "+checkpoints+" WHERE name IN "+placeholders(len(names)), names...); err == nil {
			others, err = im.otherCheckpoints(ctx, names) // which may have ended meanwhile
		}
	}
	if err == nil && !others {
		_, err = im.conn.ExecContext(ctx, "DROP TABLE "+checkpoints)
	}
	if errors.Is(err, vitessdo.ErrNoTable) {
		return nil // another import was faster
	}
	return err
}

// otherCheckpoints says whether there are any of other imports.
func (im *importer) otherCheckpoints(ctx context.Context, ours []any) (others bool, err error) {
	err = im.conn.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM "+checkpoints+" WHERE name NOT IN "+placeholders(len(ours)), ours...).Scan(&others)
	return others, err
}

// openRejects opens the file of rejects, without what an interrupted import has put
// there beyond its last transaction.
func (im *importer) openRejects(header []byte) error {
	if im.Rejects == "" {
		return nil
	}
	if im.rejects == nil {
		f, err := os.OpenFile(im.Rejects, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		im.rejects = f
	}
	if err := im.rejects.Truncate(im.at.rejects); err != nil {
		return err
	}
	if im.at.rejects == 0 && len(header) > 0 {
		return im.toRejects(&im.at, record{raw: header})
	}
	return nil
}

// toRejects writes a record behind those that are there, as it was in its source, or
// as an INSERT.
func (im *importer) toRejects(at *checkpoint, r record) error {
	if im.rejects == nil {
		return nil
	}
	raw := r.raw
	if len(raw) == 0 && len(r.columns) > 0 {
		raw = insertOf(im.table, r)
	}
	if len(raw) > 0 && raw[len(raw)-1] != '\n' {
		raw = append(raw[:len(raw):len(raw)], '\n')
	}
	n, err := im.rejects.WriteAt(raw, at.rejects)
	at.rejects += int64(n)
	return err
}
