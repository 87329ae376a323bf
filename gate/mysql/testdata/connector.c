/* What MariaDB's Connector/C does with cursors, other users, attributes and compression. */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *db;

static void fail(const char *what) {
	printf("%s: %s\n", what, mysql_error(db));
	exit(1);
}

static void run(const char *text) {
	if (mysql_query(db, text)) fail(text);
	MYSQL_RES *r = mysql_store_result(db);
	if (!r) return;
	MYSQL_ROW row;
	while ((row = mysql_fetch_row(r))) printf("%s\n", row[0] ? row[0] : "NULL");
	mysql_free_result(r);
}

int main(int argc, char **argv) {
	db = mysql_init(NULL);
	unsigned int local = 1;
	mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &local);
	mysql_options(db, MYSQL_OPT_COMPRESS, NULL);
	mysql_options4(db, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "connector");
	if (!mysql_real_connect(db, argv[1], "app", "secret", "shop", atoi(argv[2]), NULL, 0)) fail("connect");
	run("CREATE TABLE c (id BIGINT PRIMARY KEY)");
	run("INSERT INTO c VALUES (1), (2), (3), (4), (5)");

	MYSQL_STMT *st = mysql_stmt_init(db);
	const char *text = "SELECT id FROM c ORDER BY id";
	if (mysql_stmt_prepare(st, text, strlen(text))) fail("prepare");
	unsigned long type = CURSOR_TYPE_READ_ONLY, rows = 2;
	mysql_stmt_attr_set(st, STMT_ATTR_CURSOR_TYPE, &type);
	mysql_stmt_attr_set(st, STMT_ATTR_PREFETCH_ROWS, &rows);
	if (mysql_stmt_execute(st)) fail("execute");
	long long id = 0;
	MYSQL_BIND to;
	memset(&to, 0, sizeof to);
	to.buffer_type = MYSQL_TYPE_LONGLONG;
	to.buffer = &id;
	if (mysql_stmt_bind_result(st, &to)) fail("bind");
	while (!mysql_stmt_fetch(st)) {
		printf("%lld\n", id);
		if (id == 1) run("DELETE FROM c WHERE id = 5"); /* on the same connection */
	}
	mysql_stmt_close(st);
	run("SELECT COUNT(*) FROM c");

	if (!mysql_query(db, "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE c")) fail("a file was taken");
	printf("%u %s\n", mysql_errno(db), mysql_error(db));

	run("SET @x = 5");
	if (mysql_change_user(db, "old", "native", "shop")) fail("change_user");
	run("SELECT CONCAT(SUBSTRING_INDEX(USER(), '@', 1), IFNULL(@x, '-'))");
	if (mysql_change_user(db, "app", "secret", "shop")) fail("change_user back");
	if (mysql_reset_connection(db)) fail("reset");
	run("SELECT SUBSTRING_INDEX(USER(), '@', 1)");
	if (!mysql_change_user(db, "app", "wrong", "shop")) fail("a wrong password is right");
	printf("%u\n", mysql_errno(db));
	mysql_close(db);
	return 0;
}
