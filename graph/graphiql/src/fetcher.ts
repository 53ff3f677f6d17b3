import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, type OperationDefinitionNode, parse } from "graphql";
import { createClient } from "graphql-ws";

import { authorization, ENDPOINT } from "./session";

type Headers = Record<string, string>;

/** Queries and mutations by POST, subscriptions by graphql-transport-ws; a header of the editor comes first. */
export const fetcher: Fetcher = async (sent, options) => {
  const given = options?.headers ?? {};
  const operation = operationOf(sent);
  const params = operation ? { ...sent, operationName: operation.name?.value } : sent;
  return operation?.operation === "subscription" ? follow(params, given) : post(params, await signed(given));
};

/** The operation to run: GraphiQL takes a moment to notice that its editor holds another one than before. */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null | undefined {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return undefined; // the server says what is wrong
  }
}

async function signed(given: Headers): Promise<Headers> {
  if (Object.keys(given).some((name) => name.toLowerCase() === "authorization")) {
    return given;
  }
  const token = await authorization();
  return token === undefined ? given : { ...given, Authorization: token };
}

async function post(params: FetcherParams, headers: Headers): Promise<ExecutionResult> {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json;q=0.9",
      ...headers,
    },
    body: JSON.stringify(params),
  });
  return (await response.json()) as ExecutionResult;
}

// Not an async generator: one that waits for an event cannot be told to stop before that event comes.
function follow(params: FetcherParams, given: Headers): AsyncIterableIterator<ExecutionResult> {
  const client = createClient({
    url: ENDPOINT.replace(/^http/, "ws"),
    // Asked for again at each reconnection, when the first token may have run out.
    connectionParams: () => signed(given),
  });
  const { query, variables, operationName } = params;
  const asked = { query, variables: variables as Record<string, unknown> | undefined, operationName };
  const results = client.iterate(asked) as AsyncIterableIterator<ExecutionResult>;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => results.next().catch((error: unknown) => Promise.reject(explained(error))),
    return: async () => {
      await results.return?.();
      return { value: undefined, done: true };
    },
  };
}

function explained(error: unknown): unknown {
  return error instanceof CloseEvent
    ? new Error(`The server ended the connection: ${error.code} ${error.reason}`.trimEnd())
    : error;
}
