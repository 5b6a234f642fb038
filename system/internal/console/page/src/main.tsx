import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { connectWhileSeen, keepHistory } from "./app";
import { follow } from "./route";
import { Shell } from "./shell";

follow();
keepHistory();
connectWhileSeen();
const app = document.getElementById("app");
if (app !== null) render(<Shell />, app);
