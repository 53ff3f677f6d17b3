import type { CodegenConfig } from "@graphql-codegen/cli";

/** What each scalar of M3Core is in TypeScript: what a client may send, and what it gets. */
const scalars = {
  BigInt: { input: "string | number", output: "string" },
  Cursor: "string",
  CurrencyCode: "string",
  Date: "string",
  DateTime: "string",
  Decimal: { input: "string | number", output: "string" },
  EmailAddress: "string",
  IPAddress: "string",
  JSON: "unknown",
  PhoneNumber: "string",
  URL: "string",
};

const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/gql/**"],
  generates: {
    "src/gql/": {
      preset: "client",
      // Writes src/gql/persisted-documents.json, which `m3 documents add` takes.
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config: { scalars, strictScalars: true, enumType: "string-literal", useTypeImports: true },
    },
  },
};

export default config;
