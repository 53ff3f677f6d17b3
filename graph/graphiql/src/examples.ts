/** The files of `examples/<domain>/`: an operation each, and its variables beside it where it has any. */

export interface Example {
  title: string;
  /** The comment that the file opens with. */
  about: string;
  query: string;
  variables: string;
}

export interface Domain {
  name: string;
  title: string;
  examples: Example[];
}

const DOMAINS = {
  crm: "CRM",
  inventory: "Inventory",
  marketing: "Marketing",
  billing: "Billing",
  identity: "Identity",
  live: "Live",
};
const documents = read(import.meta.glob("../examples/*/*.graphql", { query: "?raw", import: "default", eager: true }));
const variables = read(import.meta.glob("../examples/*/*.json", { query: "?raw", import: "default", eager: true }));

export const domains: Domain[] = Object.entries(DOMAINS).map(([name, title]) => ({
  name,
  title,
  examples: [...documents.entries()]
    .filter(([path]) => path.startsWith(`../examples/${name}/`))
    .map(([path, query]) => ({
      title: titleOf(path),
      about: /^# (.*)/.exec(query)?.[1] ?? "",
      query: query.replace(/^# .*\n/, ""),
      variables: variables.get(path.replace(/graphql$/, "json")) ?? "",
    })),
}));

function read(files: Record<string, unknown>): Map<string, string> {
  return new Map(Object.entries(files as Record<string, string>));
}

function titleOf(path: string): string {
  const words = path.replace(/^.*\//, "").replace(/\.graphql$/, "").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
