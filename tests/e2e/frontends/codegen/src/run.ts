/** Goes through the screens and prints what a person would see of them. */
import type { ResultOf } from "@graphql-typed-document-node/core";

import { asking, signedIn } from "./client";
import { useFragment } from "./gql/index";
import { Approvals, DealCard, DealDetail, DealList, Inbox, MoveDeal, UnitMap } from "./screens";

const [address, password] = process.argv.slice(2) as [string, string];
const token = await signedIn(address, "admin@demo.test", password);
const ask = asking(address, token);

const filter = { status: { eq: "OPEN" } } as const;
const ids: string[] = [];
let after: string | null = null;
let total: number;
do {
  const { deals }: ResultOf<typeof DealList> = await ask(DealList, { first: 50, after, filter });
  ids.push(...(deals?.edges.map((edge) => useFragment(DealCard, edge.node).id) ?? []));
  total = deals?.totalCount ?? 0;
  after = deals?.pageInfo.hasNextPage === true ? deals.pageInfo.endCursor : null;
} while (after !== null);

const { deal } = await ask(DealDetail, { id: ids[0]! });
const card = useFragment(DealCard, deal);
const stages = deal?.pipeline?.stages?.nodes ?? [];
const next = stages.find((stage) => stage.id !== card?.stage?.id);
const { moveDeal } = await ask(MoveDeal, { input: { id: ids[0]!, stageId: next!.id } });

const { viewer } = await ask(Inbox, {});
const { mapOverlays } = await ask(UnitMap, { shapes: { isActive: { eq: true } } });
const { approvals } = await ask(Approvals, { state: "PENDING" });
const price: string | null | undefined = mapOverlays?.nodes[0]?.shapes?.nodes[0]?.unit?.priceMinor;

const { hash } = (Inbox as unknown as { __meta__: { hash: string } }).__meta__;
const response = await fetch(`${address}/graphql`, {
  method: "POST",
  headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
  body: JSON.stringify({ documentId: hash }),
});
const trusted: { data?: ResultOf<typeof Inbox> } = await response.json();

console.log(
  JSON.stringify({
    deals: { listed: ids.length, distinct: new Set(ids).size, total },
    moved: useFragment(DealCard, moveDeal?.deal)?.stage?.code === next?.code,
    refusals: moveDeal?.errors.map((error) => error.code),
    inbox: viewer?.inbox.nodes.length,
    trusted: trusted.data?.viewer?.inbox.nodes.length,
    shapes: mapOverlays?.nodes.flatMap((overlay) => overlay.shapes?.nodes ?? []).length,
    price: price == null ? null : typeof price,
    approvals: approvals?.nodes.map((approval) => approval.domain),
  }),
);
