import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { keepHistory, link, pauseHidden } from "./app";
import { follow } from "./route";
import { Shell } from "./shell";

follow();
keepHistory();
pauseHidden();
link.start();
const app = document.getElementById("app");
if (app !== null) render(<Shell />, app);
