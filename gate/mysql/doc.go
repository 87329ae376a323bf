// Package mysql speaks MySQL's protocol for a vitessdo database, so that the mysql
// and mariadb clients, sysbench and the drivers of any language connect to it.
//
//	net.Listener ──▶ front ──▶ greeting, password (go-mysql's server) ──▶ conn
//	conn: packets ──▶ COM_QUERY, COM_STMT_EXECUTE … ──▶ a session of the driver
//	      rows ──▶ column definitions, text or binary values ──▶ packets
//
// The greeting and the passwords are the work of github.com/go-mysql-org/go-mysql,
// which is why this package is in a module of its own: the driver stays light. The
// commands are ours, since that library's can answer neither several statements nor
// rows as they come.
//
// Each connection is a session of the driver. It ends with the connection; a
// statement that runs is interrupted when its client goes, or another connection of
// the same user says KILL.
package mysql
