import type { ComponentChildren } from "preact";
import { count } from "../format";

export interface Column<Row> {
  key: string;
  title: string;
  /** sort is the name of the order, if rows can be sorted by this column. */
  sort?: string;
  /** down is true if the first click shows the largest first. */
  down?: boolean;
  number?: boolean;
  /** lead is true for what names the row: on a phone it is the title of a card. */
  lead?: boolean;
  cell(row: Row): ComponentChildren;
}

export interface Order {
  sort: string;
  descending: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  id(row: Row): string | number;
  order?: Order;
  onOrder?(order: Order): void;
  empty: string;
}

function other<Row>(column: Column<Row>, order: Order): Order {
  return order.sort === column.sort
    ? { sort: order.sort, descending: !order.descending }
    : { sort: column.sort ?? "", descending: column.down === true };
}

/**
 * Table is a table that scrolls in a box of its own. On a narrow screen each row is a card. The roles keep it a table for
 * those who do not see it.
 */
export function Table<Row>({ label, columns, rows, id, order, onOrder, empty }: TableProps<Row>) {
  const sortable = columns.filter((c) => c.sort !== undefined);
  return (
    <>
      {order !== undefined && onOrder !== undefined && sortable.length > 0 && (
        <div class="narrow sorting">
          <label>Sort by <select value={order.sort} onChange={(e) => {
            const column = sortable.find((c) => c.sort === e.currentTarget.value);
            if (column !== undefined) onOrder({ sort: column.sort ?? "", descending: column.down === true });
          }}>
            {sortable.map((c) => <option key={c.key} value={c.sort}>{c.title}</option>)}
          </select></label>
          <button type="button" onClick={() => onOrder({ ...order, descending: !order.descending })}>{order.descending ? "Descending" : "Ascending"}</button>
        </div>
      )}
      <div class="scroll" role="region" aria-label={label} tabIndex={0}>
        <table role="table" aria-label={label}>
          <thead role="rowgroup"><tr role="row">
            {columns.map((c) => {
              const sorted = order !== undefined && c.sort !== undefined && order.sort === c.sort;
              return (
                <th key={c.key} role="columnheader" scope="col" class={c.number ? "number" : undefined}
                  aria-sort={sorted ? (order.descending ? "descending" : "ascending") : undefined}>
                  {c.sort !== undefined && order !== undefined && onOrder !== undefined
                    ? <button type="button" class="sort" onClick={() => onOrder(other(c, order))}>{c.title}<span aria-hidden="true" class="arrow">{sorted ? (order.descending ? "▼" : "▲") : ""}</span></button>
                    : c.title}
                </th>
              );
            })}
          </tr></thead>
          <tbody role="rowgroup">
            {rows.map((row) => (
              <tr key={id(row)} role="row" data-row={id(row)}>
                {columns.map((c) => <td key={c.key} role="cell" data-label={c.title} class={[c.number ? "number" : "", c.lead ? "lead" : ""].join(" ").trim() || undefined}>{c.cell(row)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty">{empty}</p>}
      </div>
    </>
  );
}

interface PagerProps {
  offset: number;
  limit: number;
  matched: number;
  total: number;
  what: string;
  /** every is how many seconds are between two looks. */
  every?: number;
  onMove(offset: number): void;
}

export function Pager({ offset, limit, matched, total, what, every = 1, onMove }: PagerProps) {
  const last = Math.min(matched, offset + limit);
  const text = matched === 0 ? `0 of ${count(total)} ${what}` : `${count(offset + 1)}–${count(last)} of ${count(matched)}${matched === total ? "" : ` that fit (${count(total)} in all)`}`;
  return (
    <div class="pager">
      <span>{text}{every > 1 ? `, asked for every ${every} s` : ""}</span>
      <button type="button" disabled={offset === 0} onClick={() => onMove(Math.max(0, offset - limit))}>Previous</button>
      <button type="button" disabled={last >= matched} onClick={() => onMove(offset + limit)}>Next</button>
    </div>
  );
}
