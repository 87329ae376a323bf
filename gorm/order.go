package vitessdogorm

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ByPrimaryKey is a plugin that gives rows in the order of the model's primary key
// where a query says no order, as MySQL mostly does and programs have come to expect;
// several shards' rows come in any order otherwise. It holds for Find, Preload and
// associations of models, and leaves aside what groups, aggregates or takes distinct
// rows, subqueries and SQL of your own.
//
//	db.Use(vitessdogorm.ByPrimaryKey{})
//
// The shards' rows are merged, which costs little; a LIMIT, then, takes the first keys.
type ByPrimaryKey struct{}

var _ gorm.Plugin = ByPrimaryKey{}

// Name implements [gorm.Plugin].
func (ByPrimaryKey) Name() string { return "vitessdo:by_primary_key" }

// Initialize implements [gorm.Plugin].
func (p ByPrimaryKey) Initialize(db *gorm.DB) error {
	return db.Callback().Query().Before("gorm:query").Register(p.Name(), orderByPrimaryKey)
}

func orderByPrimaryKey(db *gorm.DB) {
	st := db.Statement
	// GORM writes subqueries by dry runs.
	if db.Error != nil || db.DryRun || st.SQL.Len() > 0 || st.Schema == nil || st.TableExpr != nil || !wholeRows(st) {
		return
	}
	var keys []clause.OrderByColumn
	for _, f := range st.Schema.PrimaryFields {
		keys = append(keys, clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: f.DBName}})
	}
	if len(keys) > 0 {
		st.AddClause(clause.OrderBy{Columns: keys})
	}
}

// wholeRows says whether a query without an order gives rows of the model's table,
// each as it is.
func wholeRows(st *gorm.Statement) bool {
	for _, name := range []string{"ORDER BY", "GROUP BY"} {
		if _, ok := st.Clauses[name]; ok {
			return false
		}
	}
	if c, ok := st.Clauses["SELECT"]; ok {
		if s, plain := c.Expression.(clause.Select); !plain || s.Distinct || s.Expression != nil {
			return false
		}
	}
	for _, name := range st.Selects {
		if name != "*" && name != st.Table+".*" && st.Schema.LookUpField(name) == nil {
			return false
		}
	}
	return !st.Distinct
}
