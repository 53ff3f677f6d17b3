import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page is at `…/graphql` and its files at `…/graphql/assets/…`. All addresses are relative, so that a proxy may
// serve the gateway under a prefix.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 8000,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  experimental: {
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `graphql/${file}` : { relative: true }),
  },
});
