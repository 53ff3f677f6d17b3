// PostGraphile as its documentation has it: Amber preset, simplified names, row level security by pgSettings.
import { createServer } from "node:http";
import simplify from "@graphile/simplify-inflection";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const instance = postgraphile({
  extends: [PostGraphileAmberPreset, simplify.PgSimplifyInflectionPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["public"],
      poolConfig: { max: 10 },
      pubsub: false,
    }),
  ],
  grafast: {
    explain: false,
    context: ({ node }) => ({ pgSettings: { "app.tenant_id": node.req.headers["x-tenant-id"] } }),
  },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, websockets: false },
});
const served = instance.createServ(grafserv);
const schema = await instance.getSchema();
if (process.env.PRINT_SCHEMA) {
  const { printSchema } = await import("postgraphile/graphql");
  console.log(printSchema(schema));
  process.exit(0);
}
const server = createServer();
await served.addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
