package route_test

// shopTables is the schema that most tests plan against: every kind of place
// that a table can have.
const shopTables = `
CREATE TABLE customer (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50) COLLATE utf8mb4_general_ci, country CHAR(2),
  born DATE, score DOUBLE, credit DECIMAL(10,2), active BOOL NOT NULL DEFAULT TRUE) PARTITION BY KEY(id);
CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT, customer_id BIGINT NOT NULL, total DECIMAL(10,2),
  status VARCHAR(10) NOT NULL DEFAULT 'new', placed DATETIME, touched TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id, customer_id)) PARTITION BY KEY(customer_id);
CREATE TABLE item (order_id BIGINT NOT NULL, customer_id BIGINT NOT NULL, sku VARCHAR(20) NOT NULL, qty INT,
  PRIMARY KEY (customer_id, order_id, sku)) PARTITION BY KEY(customer_id);
CREATE TABLE product (sku VARCHAR(20) PRIMARY KEY, title VARCHAR(50), price DECIMAL(10,2), cat VARCHAR(20) COLLATE utf8mb4_general_ci)
  PARTITION BY KEY(sku);
CREATE TABLE country (code CHAR(2) PRIMARY KEY, name VARCHAR(50), area INT) COMMENT 'reference';
CREATE TABLE lang (code CHAR(2), lang CHAR(2), PRIMARY KEY (code, lang)) COMMENT 'reference';
CREATE TABLE setting (name VARCHAR(20) PRIMARY KEY, val INT) COMMENT 'unsharded';
CREATE TABLE audit (id BIGINT PRIMARY KEY, customer_id BIGINT, note VARCHAR(50)) COMMENT 'pinned=80';
CREATE TABLE event (day DATE NOT NULL, kind VARCHAR(10) NOT NULL, n INT, PRIMARY KEY (day, kind)) PARTITION BY KEY(day);
CREATE TABLE slot (at DATETIME NOT NULL PRIMARY KEY, n INT) PARTITION BY KEY(at);
CREATE TABLE tag (label VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT) PARTITION BY KEY(label);
CREATE TABLE loose (k BIGINT, v INT) COMMENT 'vindex=hash(k)';
CREATE TABLE metric (k BIGINT UNSIGNED NOT NULL PRIMARY KEY, v INT) COMMENT 'vindex=numeric(k)';
CREATE TABLE pair (a INT NOT NULL, b INT NOT NULL, v INT, PRIMARY KEY (a, b)) COMMENT 'vindex=multicol(a, b) column_count=2';
CREATE VIEW rich AS SELECT id, name, credit FROM customer WHERE credit > 100;
CREATE VIEW spent (customer, total) AS SELECT customer_id, SUM(total) FROM orders GROUP BY customer_id;
CREATE VIEW statuses AS SELECT status, COUNT(*) AS n FROM orders GROUP BY status;
`

const shopRows = `
INSERT INTO customer VALUES
  (1,'ann','ann@x.org','de','1990-01-02',1.5,100.00,TRUE), (2,'bob','BOB@x.org','fr','1985-05-06',2.5,250.50,TRUE),
  (3,'cid','cid@x.org','de',NULL,NULL,NULL,FALSE), (4,'dan','DAN@x.org','it','2000-12-31',0.5,10.25,TRUE),
  (5,'eve','eve@x.org',NULL,'1990-01-02',7.5,999.99,TRUE), (6,'fay','ann@X.org','xx','1970-07-07',1.5,100.00,FALSE),
  (7,'gus',NULL,'fr','1999-09-09',-1,0,TRUE), (8,'ann','hal@x.org','de','1990-01-03',3,33.33,TRUE);
INSERT INTO orders (id, customer_id, total, status, placed) VALUES
  (1,1,10.50,'new','2024-01-01 10:00:00'), (2,1,20.25,'paid','2024-01-02 11:30:00'), (3,2,5,'new','2024-01-02 11:30:00'),
  (4,3,99.99,'done','2024-02-01 00:00:00'), (5,4,NULL,'new',NULL), (6,4,40,'paid','2024-03-03 03:03:03'),
  (7,5,7.77,'done','2024-01-01 10:00:00'), (8,2,1,'paid','2023-12-31 23:59:59'), (9,8,8,'new','2024-05-05 05:05:05'),
  (10,99,3,'lost','2024-05-06 00:00:00');
INSERT INTO item VALUES (1,1,'a',2), (1,1,'b',1), (2,1,'c',5), (3,2,'a',1), (4,3,'d',3), (5,4,'a',7), (6,4,'zz',1), (7,5,'b',NULL),
  (8,2,'c',2), (9,8,'a',1), (9,8,'d',4);
INSERT INTO product VALUES ('a','Apple',1.50,'Fruit'), ('b','Bread',2.75,'food'), ('c','Cider',4,'DRINK'), ('d','Date',0.99,'fruit'),
  ('e','Eel',20,'Food'), ('f','Fig',NULL,NULL);
INSERT INTO country VALUES ('de','Germany',357), ('fr','France',640), ('it','Italy',301), ('at','Austria',84);
INSERT INTO lang VALUES ('de','de'), ('fr','fr'), ('it','it'), ('it','de'), ('at','de');
INSERT INTO setting VALUES ('limit',3), ('min',5), ('none',NULL);
INSERT INTO audit VALUES (1,1,'in'), (2,1,'out'), (3,2,'in'), (4,77,'in');
INSERT INTO event VALUES ('2024-01-01','a',1), ('2024-01-01','b',2), ('2024-01-02','a',3), ('2024-02-29','c',4), ('1999-12-31','a',NULL);
INSERT INTO slot VALUES ('2024-01-01 00:00:00',1), ('2024-01-01 10:30:00',2), ('2024-06-01 12:00:00',3);
INSERT INTO tag VALUES ('Red',1), ('green',2), ('BLUE',3), ('pink',4);
INSERT INTO loose VALUES (1,10), (1,11), (2,20), (NULL,30), (NULL,31), (7,NULL), (8,80);
INSERT INTO metric VALUES (1,1), (4611686018427387904,2), (5000000000000000000,3), (9223372036854775807,4), (10,5);
INSERT INTO pair VALUES (1,1,11), (1,2,12), (2,1,21), (2,2,22), (3,3,33), (4,1,41);
`
