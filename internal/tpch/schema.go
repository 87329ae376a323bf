package tpch

import (
	"fmt"
	"slices"
	"strings"
)

// Table is one of the benchmark's eight tables.
type Table struct {
	Name    string
	Columns []string // with type and nullability
	Key     []string
	Indexes []string // columns that the foreign keys start from
}

// Tables lists the tables, parents before children.
var Tables = []Table{
	{Name: "region", Key: []string{"r_regionkey"}, Columns: []string{
		"r_regionkey INT NOT NULL", "r_name CHAR(25) NOT NULL", "r_comment VARCHAR(152)"}},
	{Name: "nation", Key: []string{"n_nationkey"}, Columns: []string{
		"n_nationkey INT NOT NULL", "n_name CHAR(25) NOT NULL", "n_regionkey INT NOT NULL", "n_comment VARCHAR(152)"}},
	{Name: "supplier", Key: []string{"s_suppkey"}, Columns: []string{
		"s_suppkey INT NOT NULL", "s_name CHAR(25) NOT NULL", "s_address VARCHAR(40) NOT NULL", "s_nationkey INT NOT NULL",
		"s_phone CHAR(15) NOT NULL", "s_acctbal DECIMAL(15,2) NOT NULL", "s_comment VARCHAR(101) NOT NULL"}},
	{Name: "part", Key: []string{"p_partkey"}, Columns: []string{
		"p_partkey INT NOT NULL", "p_name VARCHAR(55) NOT NULL", "p_mfgr CHAR(25) NOT NULL", "p_brand CHAR(10) NOT NULL",
		"p_type VARCHAR(25) NOT NULL", "p_size INT NOT NULL", "p_container CHAR(10) NOT NULL",
		"p_retailprice DECIMAL(15,2) NOT NULL", "p_comment VARCHAR(23) NOT NULL"}},
	{Name: "partsupp", Key: []string{"ps_partkey", "ps_suppkey"}, Indexes: []string{"ps_suppkey"}, Columns: []string{
		"ps_partkey INT NOT NULL", "ps_suppkey INT NOT NULL", "ps_availqty INT NOT NULL", "ps_supplycost DECIMAL(15,2) NOT NULL",
		"ps_comment VARCHAR(199) NOT NULL"}},
	{Name: "customer", Key: []string{"c_custkey"}, Columns: []string{
		"c_custkey INT NOT NULL", "c_name VARCHAR(25) NOT NULL", "c_address VARCHAR(40) NOT NULL", "c_nationkey INT NOT NULL",
		"c_phone CHAR(15) NOT NULL", "c_acctbal DECIMAL(15,2) NOT NULL", "c_mktsegment CHAR(10) NOT NULL",
		"c_comment VARCHAR(117) NOT NULL"}},
	{Name: "orders", Key: []string{"o_orderkey"}, Indexes: []string{"o_custkey"}, Columns: []string{
		"o_orderkey BIGINT NOT NULL", "o_custkey INT NOT NULL", "o_orderstatus CHAR(1) NOT NULL",
		"o_totalprice DECIMAL(15,2) NOT NULL", "o_orderdate DATE NOT NULL", "o_orderpriority CHAR(15) NOT NULL",
		"o_clerk CHAR(15) NOT NULL", "o_shippriority INT NOT NULL", "o_comment VARCHAR(79) NOT NULL"}},
	{Name: "lineitem", Key: []string{"l_orderkey", "l_linenumber"}, Indexes: []string{"l_partkey", "l_suppkey"}, Columns: []string{
		"l_orderkey BIGINT NOT NULL", "l_partkey INT NOT NULL", "l_suppkey INT NOT NULL", "l_linenumber INT NOT NULL",
		"l_quantity DECIMAL(15,2) NOT NULL", "l_extendedprice DECIMAL(15,2) NOT NULL", "l_discount DECIMAL(15,2) NOT NULL",
		"l_tax DECIMAL(15,2) NOT NULL", "l_returnflag CHAR(1) NOT NULL", "l_linestatus CHAR(1) NOT NULL",
		"l_shipdate DATE NOT NULL", "l_commitdate DATE NOT NULL", "l_receiptdate DATE NOT NULL",
		"l_shipinstruct CHAR(25) NOT NULL", "l_shipmode CHAR(10) NOT NULL", "l_comment VARCHAR(44) NOT NULL"}},
}

// Layout says where the rows of each table live.
type Layout struct {
	Name string
	// ShardedBy gives a table's sharding column; what isn't in it is a reference
	// table.
	ShardedBy map[string]string
}

// Layouts lists the ways of sharding. In the first one only the two large tables
// are sharded, together, so that most joins stay on a shard; in the second every
// table but the two smallest by its own key, so that most joins cross shards; in
// the third all of them.
var Layouts = []Layout{
	{"by order", map[string]string{"orders": "o_orderkey", "lineitem": "l_orderkey"}},
	{"own keys", map[string]string{"orders": "o_orderkey", "lineitem": "l_orderkey", "customer": "c_custkey", "part": "p_partkey",
		"partsupp": "ps_partkey", "supplier": "s_suppkey"}},
	{"scattered", map[string]string{"orders": "o_custkey", "lineitem": "l_partkey", "customer": "c_nationkey", "part": "p_partkey",
		"partsupp": "ps_suppkey", "supplier": "s_suppkey", "nation": "n_regionkey", "region": "r_regionkey"}},
}

// DDL gives the CREATE TABLE statements of a layout.
func (l Layout) DDL() []string {
	var out []string
	for _, t := range Tables {
		key, where := t.Key, " COMMENT 'reference'"
		if by := l.ShardedBy[t.Name]; by != "" {
			where = fmt.Sprintf(" PARTITION BY KEY(%s)", by)
			if !slices.Contains(key, by) {
				// A primary key must hold the sharding column.
				key = append(slices.Clone(key), by)
			}
		}
		defs := append(slices.Clone(t.Columns), "PRIMARY KEY ("+strings.Join(key, ", ")+")")
		for _, c := range t.Indexes {
			defs = append(defs, "KEY ("+c+")")
		}
		out = append(out, "CREATE TABLE "+t.Name+" ("+strings.Join(defs, ", ")+")"+where)
	}
	return out
}
