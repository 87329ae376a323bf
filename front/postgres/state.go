package postgres

import (
	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/sqlast"
)

// states are PostgreSQL's SQL states, by our codes.
var states = map[vitessdo.Code]string{
	vitessdo.CodeSyntax: "42601", vitessdo.CodeNoTable: "42P01", vitessdo.CodeNoColumn: "42703", vitessdo.CodeTableExists: "42P07",
	vitessdo.CodeUnique: "23505", vitessdo.CodeNotNull: "23502", vitessdo.CodeCheck: "23514", vitessdo.CodeCheckOption: "44000",
	vitessdo.CodeForeignKey: "23503", vitessdo.CodeDataType: "22P02", vitessdo.CodeConflict: "40001", vitessdo.CodeDeadlock: "40P01",
	vitessdo.CodeLockTimeout: "55P03", vitessdo.CodeLockNoWait: "55P03", vitessdo.CodeTxExpired: "25P03", vitessdo.CodeTxReadOnly: "25006",
	vitessdo.CodeCanceled: "57014", vitessdo.CodeFull: "53100", vitessdo.CodeIO: "58030", vitessdo.CodeCorrupt: "XX001",
	vitessdo.CodeNoMemory: "53200", vitessdo.CodeTooBig: "54000", vitessdo.CodeClosed: "57P01", vitessdo.CodeClosing: "57P01", vitessdo.CodeSchemaChanged: "40001",
	vitessdo.CodeOutOfRange: "22003", vitessdo.CodeValueRange: "22003", vitessdo.CodeTooLong: "22001", vitessdo.CodeTruncated: "22P02",
	vitessdo.CodeBadTime: "22007", vitessdo.CodeDivision: "22012", vitessdo.CodeTooManyRows: "21000", vitessdo.CodeDenied: "42501", vitessdo.CodeOverloaded: "53300",
	vitessdo.CodeUnsupported: "0A000", vitessdo.CodeUnknownResult: "08007", vitessdo.CodeNoDatabase: "3D000",
	vitessdo.CodeUnknownDatabase: "3F000", vitessdo.CodeDatabaseExists: "42P06", vitessdo.CodeAmbiguousColumn: "42702",
	vitessdo.CodeColumnCount: "42601", vitessdo.CodeParameterCount: "08P01", vitessdo.CodeTxState: "25001", vitessdo.CodeLimit: "54000",
	vitessdo.CodePlan: "42000", vitessdo.CodeVSchema: "42000", vitessdo.CodeInternal: "XX000",
}

// sqlState is PostgreSQL's state of an error; "" where it has none that fits better.
func sqlState(e *vitessdo.Error) string {
	switch e.Number {
	case 1210:
		return "42P10" // ON CONFLICT names no key
	case 1305:
		return "3B001" // no such savepoint
	}
	return states[e.Code]
}

// typeNames are PostgreSQL's names of MySQL's types.
var typeNames = map[string]string{
	"SMALLINT": "INT2", "MEDIUMINT": "INT4", "INT": "INT4", "BIGINT": "INT8", "TINYINT": "INT2", "YEAR": "INT2", "BIT": "INT8",
	"FLOAT": "FLOAT4", "DOUBLE": "FLOAT8", "DECIMAL": "NUMERIC", "VARCHAR": "VARCHAR", "CHAR": "BPCHAR",
	"DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMPTZ", "DATE": "DATE", "TIME": "TIME", "JSON": "JSONB",
}

// typeName names a result column's type as PostgreSQL's drivers do.
func typeName(t *sqlast.Type) string {
	if t.Bool {
		return "BOOL"
	}
	if name := typeNames[t.Name]; name != "" && (t.Name != "VARCHAR" || t.Size >= 0) {
		return name
	}
	switch t.Class {
	case sqlast.ClassInt:
		return "INT8"
	case sqlast.ClassDecimal:
		return "NUMERIC"
	case sqlast.ClassDouble:
		return "FLOAT8"
	case sqlast.ClassBlob:
		return "BYTEA"
	case sqlast.ClassDate:
		return "DATE"
	case sqlast.ClassDateTime:
		return "TIMESTAMP"
	case sqlast.ClassTime:
		return "TIME"
	case sqlast.ClassJSON:
		return "JSONB"
	}
	return "TEXT"
}
