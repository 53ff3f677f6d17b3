// Mercurius as one would write it for speed: compiled queries (jit), loaders that batch, statements prepared
// once. The schema is the part of ours that the queries touch. It filters by tenant itself: no transaction
// and no row level security, under a login that is above it.
import Fastify from "fastify";
import { GraphQLScalarType } from "graphql";
import mercurius from "mercurius";
import pg from "pg";

const TIMESTAMPTZ = 1184, DATE = 1082;
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 10,
  options: "-c timezone=UTC",
  types: {
    getTypeParser(oid, format) {
      if (oid === TIMESTAMPTZ) return (text) => text.slice(0, 10) + "T" + text.slice(11) + ":00";
      if (oid === DATE) return (text) => text;
      return pg.types.getTypeParser(oid, format);
    },
  },
});

// Mercurius hashes a whole row as the key of its loaders' cache; with toJSON, its id.
function idAlone() { return this.id; }
async function rowsOf(name, text, values) {
  const { rows } = await pool.query({ name, text, values });
  for (const row of rows) row.toJSON = idAlone;
  return rows;
}

const DEAL = `id, name, amount_minor as "amountMinor", currency, status, expected_close_at as "expectedCloseAt",
  tags, created_at as "createdAt", updated_at as "updatedAt", stage_id as "stageId", company_id as "companyId",
  contact_id as "contactId", pipeline_id as "pipelineId"`;
const CONTACT = `id, full_name as "fullName", email, phone_e164 as "phoneE164",
  role_title_code as "roleTitleCode", created_at as "createdAt"`;
const COMPANY = `id, name, industry_code as "industryCode", city, country, created_at as "createdAt"`;
const NOTICE = `id, category, title, body, meta, is_read as "isRead", created_at as "createdAt"`;
const NEWEST = "order by created_at desc, id desc limit";

const schema = `
  scalar DateTime
  scalar Date
  scalar BigInt
  scalar JSON
  input BooleanFilter { eq: Boolean! }
  input NotificationFilter { isRead: BooleanFilter! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type DealStage { id: ID! code: String! orderIndex: Int! }
  type DealPipeline { id: ID! name: String! }
  type Contact {
    id: ID! fullName: String! email: String phoneE164: String roleTitleCode: String createdAt: DateTime!
  }
  type ContactConnection { nodes: [Contact!]! pageInfo: PageInfo! }
  type Deal {
    id: ID! name: String! amountMinor: BigInt currency: String status: String! expectedCloseAt: Date
    tags: [String!] createdAt: DateTime! updatedAt: DateTime! stageId: ID! companyId: ID contactId: ID
    stage: DealStage contact: Contact company: Company pipeline: DealPipeline
  }
  type DealEdge { cursor: String! node: Deal! }
  type DealConnection { edges: [DealEdge!]! nodes: [Deal!]! pageInfo: PageInfo! }
  type Company {
    id: ID! name: String! industryCode: String city: String country: String createdAt: DateTime!
    contacts(first: Int = 25): ContactConnection! deals(first: Int = 25): DealConnection!
  }
  type CompanyConnection { nodes: [Company!]! pageInfo: PageInfo! }
  type Notification {
    id: ID! category: String! title: String! body: String meta: JSON isRead: Boolean! createdAt: DateTime!
  }
  type NotificationConnection { nodes: [Notification!]! pageInfo: PageInfo! }
  type Viewer { inbox(first: Int = 25, filter: NotificationFilter!): NotificationConnection! }
  type Query {
    viewer: Viewer
    deal(id: ID!): Deal
    deals(first: Int = 25): DealConnection!
    companies(first: Int = 25): CompanyConnection!
  }
`;

const page = (rows, first) => ({ rows: rows.slice(0, first), hasNextPage: rows.length > first });
const cursor = (row) => Buffer.from(JSON.stringify([row.createdAt, row.id])).toString("base64");
const list = (name, columns) => async (_, { first }, { tenant }) =>
  page(await rowsOf(name, `select ${columns} from ${name} where tenant_id = $1 ${NEWEST} $2`, [tenant, first + 1]), first);
const connection = {
  nodes: ({ rows }) => rows,
  edges: ({ rows }) => rows.map((node) => ({ node })),
  pageInfo: ({ rows, hasNextPage }) => ({ hasNextPage, endCursor: rows.length ? cursor(rows.at(-1)) : null }),
};
const { edges, ...plain } = connection;
const asItIs = (name) => new GraphQLScalarType({ name, serialize: (value) => value });
const resolvers = {
  DateTime: asItIs("DateTime"), Date: asItIs("Date"), BigInt: asItIs("BigInt"), JSON: asItIs("JSON"),
  Query: {
    viewer: () => ({}),
    deal: async (_, { id }, { tenant }) =>
      (await rowsOf("deal", `select ${DEAL} from deals where tenant_id = $1 and id = $2`, [tenant, id]))[0] ?? null,
    deals: list("deals", DEAL),
    companies: list("companies", COMPANY),
  },
  Viewer: {
    inbox: async (_, { first, filter }, { tenant, user }) => page(
      await rowsOf(
        "inbox",
        `select ${NOTICE} from notifications_inbox
         where tenant_id = $1 and user_id = $2 and is_read = $3 ${NEWEST} $4`,
        [tenant, user, filter.isRead.eq, first + 1],
      ),
      first,
    ),
  },
  DealConnection: connection,
  ContactConnection: plain,
  CompanyConnection: plain,
  NotificationConnection: plain,
  DealEdge: { cursor: ({ node }) => cursor(node) },
};

const one = (table, columns, key) => async (queries, { tenant }) => {
  const ids = [...new Set(queries.map(({ obj }) => obj[key]))];
  const text = `select ${columns} from ${table} where tenant_id = $1 and id = any($2::uuid[])`;
  const byId = new Map((await rowsOf(`one ${table}`, text, [tenant, ids])).map((row) => [row.id, row]));
  return queries.map(({ obj }) => byId.get(obj[key]) ?? null);
};
const many = (table, columns, key) => async (queries, { tenant }) => {
  const limit = Math.max(...queries.map(({ params }) => params.first)) + 1;
  const text = `select parent.id as parent, child.* from unnest($2::uuid[]) parent(id) cross join lateral
    (select ${columns} from ${table} where tenant_id = $1 and ${key} = parent.id ${NEWEST} $3) child`;
  const byParent = new Map(queries.map(({ obj }) => [obj.id, []]));
  for (const row of await rowsOf(`many ${table}`, text, [tenant, [...byParent.keys()], limit])) {
    byParent.get(row.parent).push(row);
  }
  return queries.map(({ obj, params }) => page(byParent.get(obj.id), params.first));
};
const loaders = {
  Deal: {
    stage: one("deal_stages", `id, code, order_index as "orderIndex"`, "stageId"),
    pipeline: one("deal_pipelines", "id, name", "pipelineId"),
    contact: one("contacts", CONTACT, "contactId"),
    company: one("companies", COMPANY, "companyId"),
  },
  Company: { contacts: many("contacts", CONTACT, "company_id"), deals: many("deals", DEAL, "company_id") },
};

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema, resolvers, loaders, jit: 1, graphiql: false,
  context: ({ headers }) => ({ tenant: headers["x-tenant-id"], user: headers["x-user-id"] }),
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
