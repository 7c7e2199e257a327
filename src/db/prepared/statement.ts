/**
 * A prepared statement as `pg` lets others write them (its `Submittable`): one write to the socket where the library's own takes four, and
 * what its rows look like is asked for once a connection, not every time. Statements with a name are what the server says all day long.
 */
import pg from 'pg';
import { bindMessage } from './bind-message.ts';

/** What a statement answers. */
export interface Answer<Row> {
  rows: Row[];
  /** Rows found, or changed; null where the statement has none to count. */
  rowCount: number | null;
}

interface Column {
  name: string;
  parse(text: string): unknown;
}

/** The parts of pg's connection that its extensions use. */
interface Wire {
  stream: { write(bytes: Buffer): boolean; cork(): void; uncork(): void };
  parsedStatements: Record<string, string>;
  submittedNamedStatements: Record<string, string>;
  parse(statement: { name: string; text: string }): void;
}

/** Describe of the unnamed portal, Execute of all its rows, Sync (PostgreSQL 18, "Message Formats"). */
const describe = Buffer.from([0x44, 0, 0, 0, 6, 0x50, 0]);
const execute = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
const sync = Buffer.from([0x53, 0, 0, 0, 4]);
const executed = Buffer.concat([execute, sync]);
const describedAndExecuted = Buffer.concat([describe, executed]);

/** Columns of the statements each connection has parsed. */
const known = new WeakMap<Wire, Map<string, readonly Column[]>>();

class PreparedStatement<Row> {
  readonly name: string;
  readonly text: string;
  readonly #values: readonly unknown[];
  readonly #rows: Row[] = [];
  #columns: readonly Column[] | undefined;
  #rowCount: number | null = null;
  #fault: Error | undefined;
  /** pg puts its own around ours, which ends the wait for an answer that does not come. */
  callback: (error: Error | null, answer?: Answer<Row>) => void;
  /** The name is pg's. Milliseconds. */
  readonly query_timeout: number | undefined;

  constructor(statement: Statement, callback: (error: Error | null, answer?: Answer<Row>) => void) {
    this.name = statement.name;
    this.text = statement.text;
    this.#values = statement.values ?? [];
    this.query_timeout = statement.query_timeout;
    this.callback = callback;
  }

  /** @returns what is wrong with the statement; it is not sent then. */
  submit(connection: unknown): Error | null {
    const wire = connection as Wire;
    const { name, text } = this;
    const parsed = wire.parsedStatements[name] ?? wire.submittedNamedStatements[name];
    if (parsed !== undefined && parsed !== text) return new Error(`The name ${name} stands for another statement`);
    this.#columns = columnsOf(wire).get(name);
    let bytes: Buffer;
    try {
      bytes = bindMessage(name, this.#values, this.#columns ? executed : describedAndExecuted);
    } catch (error) {
      return error as Error;
    }
    if (parsed !== undefined) {
      wire.stream.write(bytes);
      return null;
    }
    wire.stream.cork();
    wire.parse({ name, text });
    wire.submittedNamedStatements[name] = text;
    wire.stream.write(bytes);
    wire.stream.uncork();
    return null;
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, parse: pg.types.getTypeParser(dataTypeID, 'text') }));
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (this.#fault) return;
    try {
      this.#rows.push(rowOf(this.#columns!, fields) as Row);
    } catch (error) {
      this.#fault = error as Error;
    }
  }

  handleCommandComplete({ text }: { text: string }, connection: unknown): void {
    // The last word: `SELECT 3`, `INSERT 0 1`.
    const count = Number(text.slice(text.lastIndexOf(' ') + 1));
    this.#rowCount = Number.isNaN(count) ? null : count;
    columnsOf(connection as Wire).set(this.name, this.#columns ?? []);
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    if (this.#fault) this.callback(this.#fault);
    else this.callback(null, { rows: this.#rows, rowCount: this.#rowCount });
  }
}

/** A statement that PostgreSQL keeps parsed on the connection under its name. */
export interface Statement {
  name: string;
  text: string;
  values?: readonly unknown[];
  /** Longest wait for the answer in milliseconds, where it is not the connection's. */
  query_timeout?: number;
}

/** Runs it on a connection that is free. Rejects with PostgreSQL's error, or what became of the connection. */
export function runPrepared<Row>(client: pg.ClientBase, statement: Statement): Promise<Answer<Row>> {
  return new Promise((resolve, reject) => {
    client.query(new PreparedStatement<Row>(statement, (error, answer) => (error ? reject(error) : resolve(answer!))));
  });
}

function columnsOf(wire: Wire): Map<string, readonly Column[]> {
  const seen = known.get(wire);
  if (seen) return seen;
  const columns = new Map<string, readonly Column[]>();
  known.set(wire, columns);
  return columns;
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let n = 0; n < columns.length; n++) {
    const text = fields[n]!;
    const { name, parse } = columns[n]!;
    row[name] = text === null ? null : parse(text);
  }
  return row;
}
