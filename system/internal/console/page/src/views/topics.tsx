import { useEffect, useState } from "preact/hooks";
import { count, rate } from "../format";
import { useSettled, useView } from "../hooks";
import { Pager, Table } from "../parts/table";
import type { Order } from "../parts/table";
import { Frame, Search } from "../parts/view";
import type { Page, Topic } from "../protocol";
import { address } from "../route";

const limit = 50;

export function Topics() {
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order>({ sort: "name", descending: false });
  const [offset, setOffset] = useState(0);
  const settled = useSettled(search);
  useEffect(() => setOffset(0), [settled, order]);
  const view = useView<Page<Topic>>("topics", "pulse", { search: settled, sort: order.sort, descending: order.descending, offset, limit });
  const page = view.data;
  return (
    <Frame title="Topics" view={view} note="A topic is what subscribers of a service watch. A class is a group of members that see the same."
      tools={<Search label="Search topics" value={search} onInput={setSearch} />}>
      {page !== null && (
        <div class="panel">
          <Table label="Topics" rows={page.rows} id={(t) => t.name} order={order} onOrder={setOrder} empty="No topic fits." columns={[
            { key: "name", title: "Name", sort: "name", lead: true, cell: (t) => <a href={address("connections", { service: t.name })}>{t.name}</a> },
            { key: "members", title: "Members", sort: "members", down: true, number: true, cell: (t) => count(t.members) },
            { key: "classes", title: "Classes", sort: "classes", down: true, number: true, cell: (t) => count(t.classes) },
            { key: "instances", title: "Instances", number: true, cell: (t) => count(t.instances) },
            { key: "rate", title: "Broadcasts/s", sort: "rate", down: true, number: true, cell: (t) => rate(t.rate) },
            { key: "broadcasts", title: "Broadcasts", sort: "broadcasts", down: true, number: true, cell: (t) => count(t.broadcasts) },
            { key: "mailbox", title: "Messages that wait", number: true, cell: (t) => count(t.mailbox) },
          ]} />
          <Pager offset={page.offset} limit={limit} matched={page.matched} total={page.total} what="topics" onMove={setOffset} />
        </div>
      )}
    </Frame>
  );
}
