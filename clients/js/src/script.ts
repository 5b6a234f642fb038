// What a page gets that loads strowger.js with a script tag: the global Strowger.
export { Client, connect, CloseCode, StrowgerError } from "./index.js";
