package vitessdo

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/sqlast"
)

// variable is a system variable as SHOW VARIABLES lists it.
type variable struct {
	name  string
	value any
}

// switches are the variables that SHOW VARIABLES prints as ON and OFF, and
// SELECT as 1 and 0.
var switches = map[string]bool{
	"autocommit": true, "foreign_key_checks": true, "unique_checks": true, "transaction_read_only": true, "sql_safe_updates": true,
	"performance_schema": true, "explicit_defaults_for_timestamp": true, "big_tables": true, "sql_notes": true, "sql_warnings": true,
	"sql_auto_is_null": true, "sql_log_bin": true, "sql_big_selects": true, "sql_quote_show_create": true, "read_only": true,
	"super_read_only": true, "skip_networking": true, "local_infile": true, "event_scheduler": true, "log_bin": true, "tx_read_only": true,
}

// text is the value as SHOW VARIABLES prints it.
func (v variable) text() string {
	if n, ok := v.value.(int64); ok && switches[v.name] {
		return [2]string{"OFF", "ON"}[min(max(n, 0), 1)]
	}
	t, _ := asText(v.value)
	return t
}

// defaults are the system variables that clients ask for, with what a MySQL 8
// server of ours would say. Those that can be set are in settable.
var defaults = map[string]any{
	"autocommit": int64(1), "auto_increment_increment": int64(1), "auto_increment_offset": int64(1),
	"character_set_client": "utf8mb4", "character_set_connection": "utf8mb4", "character_set_results": "utf8mb4",
	"character_set_server": "utf8mb4", "character_set_database": "utf8mb4", "collation_connection": "utf8mb4_bin",
	"collation_server": "utf8mb4_bin", "collation_database": "utf8mb4_bin", "foreign_key_checks": int64(1),
	"unique_checks": int64(1), "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
	"time_zone": "UTC", "system_time_zone": "UTC", "transaction_isolation": "REPEATABLE-READ", "tx_isolation": "REPEATABLE-READ",
	"transaction_read_only": int64(0), "version": serverVersion, "version_comment": "vitessdo", "lower_case_table_names": int64(2),
	"max_allowed_packet": int64(67108864), "wait_timeout": int64(28800), "interactive_timeout": int64(28800),
	"net_write_timeout": int64(60), "net_read_timeout": int64(30), "license": "Apache-2.0", "performance_schema": int64(0),
	"query_cache_size": int64(0), "query_cache_type": "OFF", "sql_safe_updates": int64(0), "sql_select_limit": int64(1<<63 - 1),
	"innodb_lock_wait_timeout": int64(10), "lock_wait_timeout": int64(10), "default_storage_engine": "InnoDB",
	"have_ssl": "DISABLED", "hostname": "localhost", "port": int64(3306), "protocol_version": int64(10), "init_connect": "",
	"max_execution_time": int64(0), "sql_notes": int64(1), "sql_warnings": int64(0), "sql_auto_is_null": int64(0),
	"sql_log_bin": int64(0), "sql_big_selects": int64(1), "sql_quote_show_create": int64(1), "big_tables": int64(0),
	"read_only": int64(0), "super_read_only": int64(0), "skip_networking": int64(1), "local_infile": int64(0),
	"event_scheduler": int64(0), "log_bin": int64(0), "tx_read_only": int64(0), "max_connections": int64(100000),
	"net_buffer_length": int64(16384), "character_set_system": "utf8mb3", "character_set_filesystem": "binary",
	"default_collation_for_utf8mb4": "utf8mb4_bin", "version_compile_os": "Go", "version_compile_machine": "any",
	"storage_engine": "InnoDB", "default_tmp_storage_engine": "InnoDB", "div_precision_increment": int64(4),
	"lc_time_names": "en_US", "server_id": int64(1), "max_sp_recursion_depth": int64(0), "workload": "oltp", "init_file": "",
	"default_week_format": int64(0), "eq_range_index_dive_limit": int64(200), "optimizer_switch": "", "ssl_cipher": "",
	"group_concat_max_len": int64(1 << 30), "explicit_defaults_for_timestamp": int64(1), "transaction_mode": "twopc",
	"completion_type": "NO_CHAIN", "vitess_dialect": mysqlDialect, "ddl": ddlTransactional,
}

// ignored are variables whose setting is accepted and changes nothing, because
// what they ask for holds anyway or has no meaning here.
var ignored = map[string]bool{
	"character_set_client": true, "character_set_connection": true, "character_set_results": true, "collation_connection": true,
	"unique_checks": true, "net_write_timeout": true, "net_read_timeout": true, "wait_timeout": true,
	"interactive_timeout": true, "group_concat_max_len": true, "default_storage_engine": true,
	"names": true, "sql_notes": true, "character_set_database": true,
	"character_set_server": true, "collation_server": true, "collation_database": true, "sql_quote_show_create": true, "workload": true,
	"sql_warnings": true, "sql_log_bin": true, "sql_big_selects": true, "big_tables": true, "net_buffer_length": true, "optimizer_switch": true,
	"max_allowed_packet": true, "default_tmp_storage_engine": true, "eq_range_index_dive_limit": true, "storage_engine": true,
	"explicit_defaults_for_timestamp": true, "default_collation_for_utf8mb4": true, "max_sp_recursion_depth": true,
}

// only are variables whose value is what every statement keeps to: they may be
// set to it, and to nothing else.
var only = map[string]bool{
	"sql_auto_is_null": true, "sql_safe_updates": true, "sql_select_limit": true, "auto_increment_increment": true,
	"auto_increment_offset": true, "lc_time_names": true, "div_precision_increment": true, "default_week_format": true,
}

func (s *session) sysvar(name string) (any, error) {
	name = strings.ToLower(name)
	switch name {
	case "autocommit":
		if s.noCommit {
			return int64(0), nil
		}
	case "transaction_mode":
		return string(s.commitMode()), nil
	case "time_zone":
		return s.cfg.Loc.String(), nil
	case "vitess_dialect":
		return s.dialectName(), nil
	case "timestamp":
		return float64(s.Now().UnixMicro()) / 1e6, nil
	case "last_insert_id", "identity":
		return s.lastInsertID, nil
	case "warning_count":
		return int64(len(s.warnings)), nil
	case "error_count":
		return s.errorCount(), nil
	case "pseudo_thread_id":
		return int64(s.id), nil
	case "foreign_key_checks":
		if s.unchecked {
			return int64(0), nil
		}
	}
	if v, ok := s.sysvars[name]; ok {
		return v, nil
	}
	return s.defaultVar(name)
}

// globalVar is a variable's value for a session that has set nothing.
func (s *session) globalVar(name string) (any, error) {
	switch name = strings.ToLower(name); name {
	case "sql_mode", "transaction_mode", "autocommit", "foreign_key_checks", "vitess_dialect":
		return s.defaultVar(name)
	}
	if _, set := s.sysvars[name]; set {
		return s.defaultVar(name)
	}
	return s.sysvar(name)
}

func (s *session) defaultVar(name string) (any, error) {
	switch {
	case name == "vitess_dialect" && s.cfg.Dialect != "":
		return s.cfg.Dialect, nil
	case name == "sql_mode" && s.cfg.SQLMode != "":
		return s.cfg.SQLMode, nil
	case name == "innodb_lock_wait_timeout" || name == "lock_wait_timeout":
		return int64(max(s.cfg.LockWaitTimeout, time.Second) / time.Second), nil
	case name == "transaction_isolation" || name == "tx_isolation":
		return s.cfg.TransactionIsolation, nil
	case name == "ddl":
		return s.cfg.DDL, nil
	case name == "transaction_mode" && s.cfg.TransactionMode != "":
		return string(s.cfg.TransactionMode), nil
	}
	if v, ok := defaults[name]; ok {
		return v, nil
	}
	e := newError(CodePlan, "unknown system variable '%s'", name)
	e.Number = 1193
	return nil, e
}

func (s *session) variables(global bool) []variable {
	var out []variable
	get := s.sysvar
	if global {
		get = s.globalVar
	}
	for name := range defaults {
		v, _ := get(name)
		out = append(out, variable{name, v})
	}
	sort.Slice(out, func(i, k int) bool { return out[i].name < out[k].name })
	return out
}

// dirty says whether anything was set that a new connection hasn't.
func (s *session) dirty() bool {
	return s.sysvars != nil || s.uservars != nil || s.next != nil || s.noCommit || s.used || len(s.warnings) > 0 || s.prepared != nil || len(s.locks) > 0
}

func (s *session) set(ctx context.Context, p *prepared, st *sqlast.Set) error {
	// All values are those of before, and all are set or none.
	vals := make([]any, len(st.Vars))
	for i, v := range st.Vars {
		var err error
		if vals[i], err = s.setValue(ctx, p, v); err != nil {
			return err
		}
	}
	sysvars, uservars, modes, noCommit, dialect := maps.Clone(s.sysvars), maps.Clone(s.uservars), s.modes, s.noCommit, s.dialect
	for i, v := range st.Vars {
		if err := s.setOne(ctx, v, vals[i]); err != nil {
			s.sysvars, s.uservars, s.modes, s.noCommit, s.dialect = sysvars, uservars, modes, noCommit, dialect
			s.forgetPlans()
			return err
		}
	}
	return nil
}

// forgetPlans drops the session's own plans, which hang on what it has set.
func (s *session) forgetPlans() {
	clear(s.local)
	clear(s.literals)
}

func (s *session) setUserVar(name string, val any) {
	if s.uservars == nil {
		s.uservars = map[string]any{}
	}
	if b, ok := val.([]byte); ok {
		val = slices.Clone(b)
	}
	s.uservars[name] = val
}

// setValue evaluates the right side of an assignment.
func (s *session) setValue(ctx context.Context, p *prepared, v sqlast.SetVar) (any, error) {
	if v.Value == nil {
		switch v.Name {
		case "names", "character set", "timestamp", "last_insert_id":
			return nil, nil
		}
		return s.defaultVar(v.Name)
	}
	// What needs no engine asks none: a shard elsewhere may be far, or busy.
	if l, ok := v.Value.(*sqlast.Lit); ok && l.Kind == sqlast.LitInt {
		if n, err := strconv.ParseInt(l.Text, 10, 64); err == nil {
			return n, nil
		}
	}
	plan, vec, err := s.evaluation(ctx, p, v.Value)
	if err != nil {
		return nil, err
	}
	r, err := exec.Query(ctx, s, plan, vec)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	row := make([]any, 1)
	if err := r.Next(row); err != nil {
		return nil, err
	}
	if b, ok := row[0].([]byte); ok {
		row[0] = append([]byte(nil), b...)
	}
	return row[0], nil
}

func (s *session) setOne(ctx context.Context, v sqlast.SetVar, val any) error {
	name := strings.ToLower(v.Name)
	if v.Scope == "user" {
		s.setUserVar(name, val)
		return nil
	}
	if v.Scope == "global" || v.Scope == "persist" {
		return s.setGlobal(name)
	}
	if s.sysvars == nil {
		s.sysvars = map[string]any{}
	}
	switch name {
	case "autocommit":
		return s.setAutocommit(ctx, val)
	case "transaction_mode":
		return s.setMode(val)
	case "ddl":
		return s.setDDL(val)
	case "sql_mode":
		return s.setSQLMode(val)
	case "vitess_dialect":
		return s.setDialect(val)
	case "timestamp":
		return s.setTimestamp(val)
	case "last_insert_id", "identity":
		n, ok := integerOf(val)
		if !ok {
			return wrongValue(name, val)
		}
		s.lastInsertID = n
		return nil
	case "innodb_lock_wait_timeout", "lock_wait_timeout":
		if v.Value == nil { // DEFAULT
			delete(s.sysvars, "innodb_lock_wait_timeout")
			delete(s.sysvars, "lock_wait_timeout")
			return nil
		}
		n, ok := val.(int64)
		if !ok || n < 1 || n > maxLockWait {
			return wrongValue(name, val)
		}
		s.sysvars["innodb_lock_wait_timeout"], s.sysvars["lock_wait_timeout"] = n, n
		return nil
	case "max_execution_time":
		n, ok := val.(int64)
		if !ok || n < 0 {
			return wrongValue(name, val)
		}
		s.sysvars[name] = n
		return nil
	case "time_zone":
		return s.setTimeZone(val)
	case "transaction_isolation", "tx_isolation":
		return s.setIsolation(v.Scope, val)
	case "transaction_read_only", "tx_read_only":
		return s.setReadOnly(v.Scope, val)
	case "completion_type":
		return s.setCompletion(val)
	case "foreign_key_checks":
		return s.setChecks(truth(val))
	}
	return s.setPlain(name, val)
}

// maxLockWait is the longest wait for a lock that MySQL takes, in seconds.
const maxLockWait = 1 << 30

func truth(v any) bool {
	switch v := v.(type) {
	case int64:
		return v != 0
	case string:
		return strings.EqualFold(v, "on") || strings.EqualFold(v, "true") || v == "1"
	}
	return false
}

func (s *session) setAutocommit(ctx context.Context, val any) error {
	s.noCommit = !truth(val)
	if s.noCommit {
		return nil
	}
	return s.commit(ctx) // as MySQL does when autocommit comes on
}

func (s *session) setMode(val any) error {
	mode, _ := val.(string)
	mode = strings.ToLower(mode)
	switch mode {
	case "twopc", "multi", "single":
		s.sysvars["transaction_mode"] = mode
		return nil
	}
	return newError(CodePlan, "transaction_mode is %v; it must be twopc, multi or single", val)
}

func (s *session) setTimeZone(val any) error {
	name, _ := val.(string)
	if name == s.cfg.Loc.String() || strings.EqualFold(name, "SYSTEM") || name == "+00:00" && s.cfg.Loc.String() == "UTC" {
		return nil
	}
	return newError(CodeUnsupported, "time_zone can't be changed to %s by SET; open the database with loc=%s", strconv.Quote(name), name)
}
