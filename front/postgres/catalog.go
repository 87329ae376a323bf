package postgres

import (
	"strings"
	"sync"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// The tables of information_schema and pg_catalog that applications and migrations ask
// are queries of MySQL's information_schema, which the gate fills. The session's keyspace
// is the schema public.

// ownSchema is the schema that a keyspace is called by.
const ownSchema = "IF(%[1]s = DATABASE(), 'public', %[1]s)"

var catalogTexts = map[string]string{
	"information_schema.tables": `SELECT DATABASE() AS table_catalog, {TABLE_SCHEMA} AS table_schema, TABLE_NAME AS table_name,
		TABLE_TYPE AS table_type, IF(TABLE_TYPE = 'BASE TABLE', 'YES', 'NO') AS is_insertable_into, TABLE_COMMENT AS table_comment FROM information_schema.TABLES`,
	"information_schema.columns": `SELECT DATABASE() AS table_catalog, {TABLE_SCHEMA} AS table_schema, TABLE_NAME AS table_name,
		COLUMN_NAME AS column_name, ORDINAL_POSITION AS ordinal_position,
		CASE WHEN EXTRA LIKE '%auto_increment%' AND COLUMN_DEFAULT IS NULL THEN CONCAT('nextval(''', TABLE_NAME, '_', COLUMN_NAME, '_seq''::regclass)') ELSE COLUMN_DEFAULT END AS column_default,
		IS_NULLABLE AS is_nullable,
		CASE WHEN COLUMN_TYPE LIKE 'tinyint(1)%' THEN 'boolean' WHEN DATA_TYPE IN ('tinyint', 'smallint', 'year') THEN 'smallint'
			WHEN DATA_TYPE IN ('int', 'mediumint') THEN 'integer' WHEN DATA_TYPE = 'float' THEN 'real' WHEN DATA_TYPE = 'double' THEN 'double precision'
			WHEN DATA_TYPE = 'decimal' THEN 'numeric' WHEN DATA_TYPE = 'varchar' THEN 'character varying' WHEN DATA_TYPE = 'char' THEN 'character'
			WHEN DATA_TYPE LIKE '%text' OR DATA_TYPE IN ('enum', 'set') THEN 'text' WHEN DATA_TYPE LIKE '%blob' OR DATA_TYPE LIKE '%binary' THEN 'bytea'
			WHEN DATA_TYPE = 'json' THEN 'jsonb' WHEN DATA_TYPE = 'datetime' THEN 'timestamp without time zone'
			WHEN DATA_TYPE = 'timestamp' THEN 'timestamp with time zone' WHEN DATA_TYPE = 'time' THEN 'time without time zone' ELSE DATA_TYPE END AS data_type,
		CASE WHEN DATA_TYPE IN ('varchar', 'char') THEN CHARACTER_MAXIMUM_LENGTH END AS character_maximum_length,
		CASE WHEN COLUMN_TYPE LIKE 'tinyint(1)%' THEN NULL WHEN DATA_TYPE IN ('tinyint', 'smallint', 'year') THEN 16 WHEN DATA_TYPE IN ('int', 'mediumint') THEN 32
			WHEN DATA_TYPE = 'bigint' THEN 64 WHEN DATA_TYPE = 'float' THEN 24 WHEN DATA_TYPE = 'double' THEN 53 ELSE NUMERIC_PRECISION END AS numeric_precision,
		CASE WHEN COLUMN_TYPE LIKE 'tinyint(1)%' THEN NULL WHEN DATA_TYPE = 'decimal' THEN 10 WHEN DATA_TYPE LIKE '%int' OR DATA_TYPE IN ('float', 'double', 'year') THEN 2 END AS numeric_precision_radix,
		CASE WHEN COLUMN_TYPE LIKE 'tinyint(1)%' THEN NULL WHEN DATA_TYPE = 'decimal' THEN NUMERIC_SCALE WHEN DATA_TYPE LIKE '%int' OR DATA_TYPE = 'year' THEN 0 END AS numeric_scale,
		CASE WHEN DATA_TYPE = 'date' THEN 0 ELSE DATETIME_PRECISION END AS datetime_precision,
		CASE WHEN COLUMN_TYPE LIKE 'tinyint(1)%' THEN 'bool' WHEN DATA_TYPE IN ('tinyint', 'smallint', 'year') THEN 'int2'
			WHEN DATA_TYPE IN ('int', 'mediumint') THEN 'int4' WHEN DATA_TYPE = 'bigint' THEN 'int8' WHEN DATA_TYPE = 'float' THEN 'float4'
			WHEN DATA_TYPE = 'double' THEN 'float8' WHEN DATA_TYPE = 'decimal' THEN 'numeric' WHEN DATA_TYPE = 'char' THEN 'bpchar'
			WHEN DATA_TYPE LIKE '%text' OR DATA_TYPE IN ('enum', 'set') THEN 'text' WHEN DATA_TYPE LIKE '%blob' OR DATA_TYPE LIKE '%binary' THEN 'bytea'
			WHEN DATA_TYPE = 'json' THEN 'jsonb' WHEN DATA_TYPE = 'datetime' THEN 'timestamp' WHEN DATA_TYPE = 'timestamp' THEN 'timestamptz' ELSE DATA_TYPE END AS udt_name,
		'NO' AS is_identity, NULL AS identity_generation, NULL AS identity_increment,
		IF(GENERATION_EXPRESSION <> '', 'ALWAYS', 'NEVER') AS is_generated, NULLIF(GENERATION_EXPRESSION, '') AS generation_expression, 'YES' AS is_updatable, COLUMN_COMMENT AS column_comment
		FROM information_schema.COLUMNS`,
	"information_schema.schemata": `SELECT DATABASE() AS catalog_name, {SCHEMA_NAME} AS schema_name, 'app' AS schema_owner FROM information_schema.SCHEMATA`,
	"information_schema.table_constraints": `SELECT DATABASE() AS constraint_catalog, {CONSTRAINT_SCHEMA} AS constraint_schema,
		IF(CONSTRAINT_NAME = 'PRIMARY', CONCAT(TABLE_NAME, '_pkey'), CONSTRAINT_NAME) AS constraint_name, DATABASE() AS table_catalog,
		{TABLE_SCHEMA} AS table_schema, TABLE_NAME AS table_name, CONSTRAINT_TYPE AS constraint_type, 'NO' AS is_deferrable FROM information_schema.TABLE_CONSTRAINTS`,
	"information_schema.key_column_usage": `SELECT DATABASE() AS constraint_catalog, {CONSTRAINT_SCHEMA} AS constraint_schema,
		IF(CONSTRAINT_NAME = 'PRIMARY', CONCAT(TABLE_NAME, '_pkey'), CONSTRAINT_NAME) AS constraint_name, DATABASE() AS table_catalog,
		{TABLE_SCHEMA} AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS column_name, ORDINAL_POSITION AS ordinal_position,
		POSITION_IN_UNIQUE_CONSTRAINT AS position_in_unique_constraint FROM information_schema.KEY_COLUMN_USAGE`,
	"information_schema.views": `SELECT DATABASE() AS table_catalog, {TABLE_SCHEMA} AS table_schema, TABLE_NAME AS table_name,
		VIEW_DEFINITION AS view_definition, CHECK_OPTION AS check_option, IS_UPDATABLE AS is_updatable FROM information_schema.VIEWS`,
	"pg_catalog.pg_tables": `SELECT {TABLE_SCHEMA} AS schemaname, TABLE_NAME AS tablename, 'app' AS tableowner, NULL AS tablespace
		FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'`,
	"pg_catalog.pg_views": `SELECT {TABLE_SCHEMA} AS schemaname, TABLE_NAME AS viewname, 'app' AS viewowner, VIEW_DEFINITION AS definition FROM information_schema.VIEWS`,
	"pg_catalog.pg_indexes": `SELECT DISTINCT {TABLE_SCHEMA} AS schemaname, TABLE_NAME AS tablename,
		IF(INDEX_NAME = 'PRIMARY', CONCAT(TABLE_NAME, '_pkey'), INDEX_NAME) AS indexname, NULL AS tablespace, NULL AS indexdef FROM information_schema.STATISTICS`,
}

// catalogs are the queries of the tables.
var catalogs = sync.OnceValue(func() map[string]sqlast.Query {
	out := map[string]sqlast.Query{}
	for name, text := range catalogTexts {
		for {
			before, rest, more := strings.Cut(text, "{")
			if !more {
				break
			}
			column, after, _ := strings.Cut(rest, "}")
			text = before + strings.ReplaceAll(ownSchema, "%[1]s", column) + after
		}
		st, err := sqlparse.Parse(text, sqlparse.Options{})
		if err != nil {
			panic(err)
		}
		q, _ := st.Stmt.(sqlast.Query)
		out[name] = q
	}
	return out
})

// catalogTable is what stands for a table of PostgreSQL's catalogs; nil for any other
// table.
func (c *conv) catalogTable(t *sqlast.TableRef, n node) sqlast.TableExpr {
	schema := strings.ToLower(n.str("schemaname"))
	if schema == "" && strings.HasPrefix(t.Name, "pg_") {
		schema = "pg_catalog"
	}
	if schema != "pg_catalog" && schema != "information_schema" {
		return nil
	}
	q := catalogs()[schema+"."+strings.ToLower(t.Name)]
	switch {
	case q != nil:
		return &sqlast.Derived{Query: sqlast.CloneQuery(q), Alias: t.Label()}
	case schema == "pg_catalog":
		c.refuse(n.at(), "the table "+t.Name+" of PostgreSQL's catalog", "information_schema, pg_tables, pg_views and pg_indexes can be had")
	}
	return nil
}

// lockCall converts the functions of advisory locks; ok is false for others.
func (c *conv) lockCall(name string, args []sqlast.Expr, at int) (sqlast.Expr, bool) {
	kind, isLock := strings.CutPrefix(name, "pg_")
	if !isLock || !strings.Contains(kind, "advisory") {
		return nil, false
	}
	if kind == "advisory_unlock_all" && len(args) == 0 {
		return front.Call("LEFT", front.Text(""), front.Call("RELEASE_ALL_LOCKS")), true
	}
	if len(args) != 1 {
		c.refuse(at, name+" of two keys", "give one")
	}
	got := func(x sqlast.Expr) sqlast.Expr { return front.Op(sqlast.OpEq, x, front.Int(1)) }
	switch kind {
	case "advisory_lock": // whose value is void
		return front.Call("LEFT", front.Text(""), front.Call("GET_LOCK", args[0], front.Int(-1))), true
	case "try_advisory_lock":
		return got(front.Call("GET_LOCK", args[0], front.Int(0))), true
	case "advisory_unlock":
		return got(front.Call("RELEASE_LOCK", args[0])), true
	}
	c.refuse(at, name, "pg_advisory_lock, pg_try_advisory_lock and pg_advisory_unlock can be had; or lock a row: SELECT … FOR UPDATE")
	return nil, false
}

// sequenceCall converts nextval('t_id_seq'): the number that a SERIAL column takes next.
func (c *conv) sequenceCall(args []tree, at int) (sqlast.Expr, bool) {
	if len(args) != 1 {
		return nil, false
	}
	t := args[0]
	if t.kind == "TypeCast" {
		t = t.child("arg")
	}
	name := t.message("sval").str("sval")
	if t.kind != "A_Const" || name == "" {
		c.refuse(at, "nextval of what isn't a literal", "name the sequence, as in nextval('t_id_seq')")
	}
	schema, rest, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, rest = "", name
	}
	seq := &sqlast.Col{Table: c.schema(strings.Trim(schema, `"`), at), Name: strings.Trim(rest, `"`), Pos: at}
	return front.Call("NEXTVAL", seq, front.Int(1)), true
}
