import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./style.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";

import { fetcher } from "./fetcher";
import { ACCOUNT, Corner, EXAMPLES } from "./panels";
import { account } from "./session";

const PLUGINS = [ACCOUNT, EXAMPLES, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];
const WELCOME = `# Sign in on the left and press
# Ctrl-Enter here, or open one
# of the examples.

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
        <Editors />
        <Scrolling />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

/** Asks for the schema again when somebody signs in: the server may show it to members alone. */
function Introspection() {
  const { introspect } = useGraphiQLActions();
  const refused = useGraphiQL((state) => state.fetchError !== null);
  useEffect(() => account.subscribe(() => void (refused && introspect())), [introspect, refused]);
  return null;
}

/** Spares names in Arabic, and the dashes among them, the editor's warnings of letters that look alike. */
function Editors() {
  const editors = [
    useGraphiQL((state) => state.queryEditor),
    useGraphiQL((state) => state.variableEditor),
    useGraphiQL((state) => state.responseEditor),
  ];
  useEffect(() => {
    for (const editor of editors) {
      editor?.updateOptions({ unicodeHighlight: { ambiguousCharacters: false } });
    }
  }, editors);
  return null;
}

/** Shows a panel from its top, not from where the one before it was scrolled to. */
function Scrolling() {
  const visible = useGraphiQL((state) => state.visiblePlugin);
  useEffect(() => {
    const frame = requestAnimationFrame(() => void document.querySelector(".graphiql-plugin")?.scrollTo(0, 0));
    return () => cancelAnimationFrame(frame);
  }, [visible]);
  return null;
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
