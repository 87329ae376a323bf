// What a Durable Object's database takes, as documented; and what a tablet on it takes therefore.

/** Bound parameters of a statement. */
export const maxParameters = 100;
/** Bytes of a statement's text: an object takes 100,000, some of which are put around it. */
export const maxStatementBytes = 75_000;
/** Levels of an expression: an object takes 100, some of which are put around it. */
export const maxDepth = 85;
/** Bytes of a row, of a text and of a blob. */
export const maxValueBytes = 2_000_000;
/** Bytes of parameters that may be set in a row without its being counted. */
export const maxShortBytes = 1_000;
/** Columns of a table and of a result. */
export const maxColumns = 100;
/** Columns of a result, of which one is needed to tell the types of the others. */
export const maxResultColumns = maxColumns - 1;
/** Queries that UNION and the like put together. */
export const maxCompoundTerms = 5;
/** Bytes of results, or of their rest, that are in memory as a whole. */
export const maxResultBytes = 16 << 20;
/** Bytes of the rows of a write that are kept to answer it again. */
export const maxKeptBytes = 1 << 20;
/** Bytes of what replays a transaction. */
export const maxRedoBytes = 8 << 20;
