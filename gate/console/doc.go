// Package console is a page for people about one database: its shards with sizes and
// load, its tables and how they are sharded, statements and slow ones, transactions in
// doubt, and a box that draws the plan of a statement and runs it.
//
//	browser ──▶ GET /console/          the page: HTML, CSS and scripts of this package alone
//	        ──▶ GET, POST /console/api ──▶ Admit ──▶ a session of the driver ──▶ JSON
//
// The page itself holds nothing of the database and is given to everybody. What it
// asks for then needs what Admit wants, a bearer token that the page asks the user for,
// keeps in its memory and sends in a header, so that it is in no address and no cookie.
//
// Statements are run by sessions that refuse to write, unless the request asks for
// writing and the token permits it. They are bounded in time, rows and bytes. Requests
// that another site's page makes the browser send are refused, and so is, where no
// tokens are asked for, any name of this machine but its own.
package console
