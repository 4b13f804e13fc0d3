// The TypeScript SDK's client, 1.x or 2.x by what is installed; prints what it was told as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [server, asked] = process.argv.slice(2).map((text) => JSON.parse(text));
const require = createRequire(`${process.cwd()}/`);
const load = async (name) => import(pathToFileURL(require.resolve(name)));

const one = asked.era === "1.x";
const modules = one
  ? await Promise.all(["index", "stdio", "streamableHttp"].map((n) => load(`@modelcontextprotocol/sdk/client/${n}.js`)))
  : await Promise.all(["client", "client/stdio"].map((n) => load(`@modelcontextprotocol/${n}`)));
const { Client, StdioClientTransport, StreamableHTTPClientTransport } = Object.assign({}, ...modules);

const mode = asked.era === "legacy" ? "legacy" : "auto";
const client = new Client({ name: "try", version: "1" }, one ? {} : { versionNegotiation: { mode } });
const transport = server.url
  ? new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers: server.headers } })
  : new StdioClientTransport({ command: server.command[0], args: server.command.slice(1), env: server.env });
await client.connect(transport);

const call = async (name, args) => (await client.callTool({ name, arguments: args })).structuredContent;
const found = await call("search", { query: asked.query, include_ids: true });
const steered = await call("give_feedback", { search_id: found.search_id, scores: { 1: 9, 2: 0 } });
const uri = `warmer://collections/${asked.collection}/passages/${found.hits[0].id}`;
const prompt = await client.getPrompt({ name: "research", arguments: { question: asked.query } });
const completed = await client.complete({
  ref: { type: "ref/prompt", name: "research" },
  argument: { name: "collection", value: "" },
});
console.log(
  JSON.stringify({
    protocol: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? "2025-11-25",
    tools: (await client.listTools()).tools.map((tool) => tool.name),
    hit: found.hits[0].text,
    outcome: steered.outcome,
    resources: (await client.listResources()).resources.map((resource) => resource.uri),
    templates: (await client.listResourceTemplates()).resourceTemplates.length,
    passage: JSON.parse((await client.readResource({ uri })).contents[0].text).text,
    prompts: (await client.listPrompts()).prompts.map((one) => one.name),
    prompt: prompt.messages[0].content.text,
    completion: completed.completion.values,
  }),
);
await client.close();
