import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./style.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";

import { fetcher } from "./fetcher";
import { ACCOUNT, Corner, EXAMPLES } from "./panels";
import { account } from "./session";

const PLUGINS = [ACCOUNT, EXAMPLES, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];
const WELCOME = `# Sign in on the left, then open one of the examples: the sign with ">_".
# Ctrl-Enter runs the operation, Ctrl-Space completes a name, and "Docs" explains every type and field.

query Me {
  viewer {
    user {
      email
    }
    tenant {
      slug
      name
    }
    permissions
  }
}
`;

function App() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={PLUGINS}
      visiblePlugin={account.current() === null ? ACCOUNT : undefined}
      defaultQuery={WELCOME}
      defaultEditorToolsVisibility="variables"
      customScalarSchemas={{ JSON: {} }}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <Corner />
        <Introspection />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

/** Asks for the schema again when somebody signs in or out: who may see it is a setting of the server. */
function Introspection() {
  const { introspect } = useGraphiQLActions();
  useEffect(() => account.subscribe(() => void introspect()), [introspect]);
  return null;
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
