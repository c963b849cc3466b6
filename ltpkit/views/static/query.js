function C(e,t){let r=e.firstChild;r===null?t&&e.append(t):r.data!==t&&(r.data=t)}function T(e,t){return e.querySelector(t)}var se=matchMedia("(prefers-reduced-motion: reduce)");var I=`.ltp {
  --ltp-up: #0a8f5b; --ltp-down: #d03b44; --ltp-flat: #7d8590; --ltp-accent: #2f6feb;
  --ltp-back: var(--jp-layout-color1, #ffffff); --ltp-raised: var(--jp-layout-color2, #f4f5f7);
  --ltp-text: var(--jp-ui-font-color1, #1c2128); --ltp-faint: var(--jp-ui-font-color2, #636c76);
  --ltp-line: var(--jp-border-color2, #d9dee4);
  box-sizing: border-box; position: relative; max-width: 100%;
  background: var(--ltp-back); color: var(--ltp-text);
  border: 1px solid var(--ltp-line); border-radius: 8px; overflow: hidden;
  font: 13px/1.4 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", sans-serif);
  font-variant-numeric: tabular-nums; text-align: left;
}
.ltp[data-theme="dark"] {
  --ltp-up: #2fbf83; --ltp-down: #f2555f; --ltp-flat: #8b949e; --ltp-accent: #6ea1ff;
  --ltp-back: var(--jp-layout-color1, #14171c); --ltp-raised: var(--jp-layout-color2, #1d2128);
  --ltp-text: var(--jp-ui-font-color1, #e6e9ee); --ltp-faint: var(--jp-ui-font-color2, #98a2ad);
  --ltp-line: var(--jp-border-color2, #2c323a);
}
.ltp[data-palette="safe"] { --ltp-up: #1f77d0; --ltp-down: #d1740a; }
.ltp[data-palette="safe"][data-theme="dark"] { --ltp-up: #57a8ff; --ltp-down: #ffa23e; }
.ltp *, .ltp *::before { box-sizing: border-box; }
.ltp .up { color: var(--ltp-up); }
.ltp .down { color: var(--ltp-down); }
.ltp .faint { color: var(--ltp-faint); }
.ltp-head {
  display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem;
  padding: .45rem .7rem; border-bottom: 1px solid var(--ltp-line);
}
.ltp-head strong { font-size: 14px; letter-spacing: .01em; }
.ltp-head .grow { flex: 1; }
.ltp select, .ltp button, .ltp input {
  font: inherit; color: inherit; background: var(--ltp-raised); border: 1px solid var(--ltp-line);
  border-radius: 6px; padding: .1rem .45rem; min-height: 26px; margin: 0; cursor: pointer; max-width: 100%;
}
.ltp input { cursor: text; }
.ltp button[aria-pressed="true"] { background: var(--ltp-accent); border-color: var(--ltp-accent); color: #fff; }
.ltp:where([data-theme="dark"]) button[aria-pressed="true"] { color: #10151d; }
.ltp :focus-visible { outline: 2px solid var(--ltp-accent); outline-offset: 1px; }
.ltp-note {
  display: none; padding: .3rem .7rem; font-size: 12px; border-top: 1px solid var(--ltp-line);
  color: var(--ltp-faint); background: var(--ltp-raised); overflow-wrap: anywhere;
}
.ltp-note.shown { display: block; }
.ltp-note.bad { color: var(--ltp-down); }
.ltp .ltp-body { transition: filter .3s, opacity .3s; }
.ltp[data-stale] .ltp-body { filter: grayscale(1); opacity: .55; }
.ltp .curve { display: block; width: 100%; height: 100%; color: var(--ltp-flat); }
.ltp .curve.up { color: var(--ltp-up); }
.ltp .curve.down { color: var(--ltp-down); }
.ltp .curve .line { fill: none; stroke: currentColor; stroke-width: 1.4; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.ltp .curve .area { fill: currentColor; opacity: .13; }
@media (prefers-reduced-motion: reduce) {
  .ltp *, .ltp *::before { animation: none !important; transition: none !important; }
}
/* A reader's own colours replace ours, except where the colour itself is what is told. */
@media (forced-colors: active) {
  .ltp .qty i, .ltp .totals span, .ltp .track, .ltp .track i, .ltp .legend i, .ltp .legend u, .ltp .curve { forced-color-adjust: none; }
  .ltp .track { background: GrayText; }
  .ltp .track i { background: CanvasText; }
  .ltp button[aria-pressed="true"] { forced-color-adjust: none; background: Highlight; color: HighlightText; border-color: Highlight; }
  .ltp .row[aria-selected="true"] { outline: 2px solid Highlight; outline-offset: -2px; }
}
`;var M=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function O(e){M.waiting.add(e),M.asked||=requestAnimationFrame(()=>{let t=[...M.waiting];M.waiting.clear(),M.asked=0;for(let r of t)try{r()}catch(s){reportError(s)}})}var N=e=>{M.waiting.delete(e)};function P(e,t,r){let s=t.slice(0,t.indexOf("-")),n=M.groups.get(s);n||M.groups.set(s,n={painted:{},told:{},toldAt:0}),n.painted[t]=r;let y=r-(n.told[t]??0),o=n.toldAt+250-Date.now();clearTimeout(n.later),y>=3||o<=0?_(n,e):n.later=setTimeout(()=>_(n,e),o)}function _(e,t){e.told={...e.painted},e.toldAt=Date.now(),t.set("answered",e.told),t.save_changes()}function ee(e){let t=e.match(/[\d.]+/g)?.map(Number);return!t||t.length<3||t.length>3&&t[3]<.5?null:(.2126*t[0]+.7152*t[1]+.0722*t[2])/255}function U(e){let t=e.parentNode;for(;t;){if(t instanceof HTMLElement){let r=ee(getComputedStyle(t).backgroundColor);if(r!==null)return r<.5?"dark":"light"}t=t instanceof ShadowRoot?t.host:t.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function B(e){let t=matchMedia("(prefers-color-scheme: dark)"),r=new MutationObserver(e);for(let s of[document.documentElement,document.body])r.observe(s,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return t.addEventListener("change",e),()=>{r.disconnect(),t.removeEventListener("change",e)}}function G(e){let t=getComputedStyle(e),r=s=>t.getPropertyValue(`--ltp-${s}`).trim();return{up:r("up"),down:r("down"),flat:r("flat"),text:r("text"),faint:r("faint"),line:r("line"),back:r("back"),accent:r("accent")}}var te={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},ne=new TextDecoder;function z(e){if(!e||e.byteLength===0)return null;let t=e instanceof ArrayBuffer?e:e.buffer.slice(e.byteOffset,e.byteOffset+e.byteLength),r=new DataView(t).getUint32(0,!0),{columns:s,...n}=JSON.parse(ne.decode(new Uint8Array(t,4,r))),y={};for(let[o,L,b,v]of s)y[o]=new te[L](t,4+r+b,v);return{header:n,columns:y}}var re=3500,V=new WeakMap,R=(e,t)=>{let r=document.createElement(e);return r.className=t,r};function W(e,t,r){function s({model:n,el:y}){let o=R("div",`ltp ltp-${e}`),L=document.createElement("style");L.textContent=I+t;let b=R("div","ltp-head"),v=R("div","ltp-body"),f=R("div","ltp-note");f.setAttribute("role","status"),o.append(L,b,v,f),o.dataset.ltpView=e,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",l=>l.stopPropagation()),y.append(o);let w=null,x={},a=null,g=null,m=Date.now(),E={},u={root:o,body:v,head:b,colours:{},font:"sans-serif",elapsed:()=>Date.now()-m,choose(l,i){let d=Date.now();E[l]={value:i,until:d+2e3},n.set("chosen",{...n.get("chosen"),[l]:[i,d]}),n.save_changes()},chosen(l){let i=E[l];return i&&Date.now()<i.until?i.value:(a??w?.header)?.options[l]}},h=()=>{o.dataset.theme=U(o),u.colours=G(o),u.font=getComputedStyle(o).fontFamily,g?.restyle?.()},c=()=>{if(!o.isConnected)return;let l=z(x.base),i=z(x.frame);x={};let d=(i??l)?.header.options.palette;if(d&&d!==o.dataset.palette&&(o.dataset.palette=d,h()),g??=r(u),l&&(w=l,g.base?.(l)),!i)return;let{header:p}=i,X=w!==null&&p.epoch===w.header.epoch;a=p,X&&p.seq!==void 0&&(g.frame(i),p.stamp!=null&&(o.dataset.ltpStamp=String(p.stamp)),p.seq!=null&&(o.dataset.ltpSeq=String(p.seq)),p.options.symbol&&(o.dataset.ltpSymbol=p.options.symbol)),o.dataset.ltpState=p.state,o.dataset.ltpFrame=String(p.n),A(),P(n,p.view,p.n)},A=()=>{let l=Date.now()-m,i=l>re&&D();o.toggleAttribute("data-stale",i);let d="";i?d=`No news for ${Math.floor(l/1e3)} s: the kernel was restarted or is held up.`:a?.error?d=a.error:a&&Q[a.state]&&(d=Q[a.state]),f.textContent!==d&&(f.textContent=d),f.classList.toggle("shown",d!==""),f.classList.toggle("bad",!i&&!!a?.error)},q=()=>{x.base=n.get("base"),m=Date.now(),O(c)},S=()=>{x.frame=n.get("frame"),m=Date.now(),O(c)},H=!0,D=()=>H&&!document.hidden,k=V.get(n)??new Set;V.set(n,k);let j=()=>{let l=k.size>0;D()?(k.has(o)||(m=Date.now()),k.add(o)):k.delete(o);let i=k.size>0;(i!==l||n.get("seen")!==i)&&(n.set("seen",i),n.save_changes())},F=new IntersectionObserver(l=>{H=l[l.length-1].isIntersecting,j()}),$=new ResizeObserver(()=>g?.restyle?.());n.on("change:base",q),n.on("change:frame",S),document.addEventListener("visibilitychange",j),F.observe(o),$.observe(o);let Y=B(h),J=setInterval(A,1e3);return h(),q(),S(),j(),()=>{n.off("change:base",q),n.off("change:frame",S),document.removeEventListener("visibilitychange",j),F.disconnect(),$.disconnect(),Y(),clearInterval(J),N(c),g?.destroy?.(),k.delete(o),k.size===0&&(n.set("seen",!1),n.save_changes()),o.remove()}}return{render:s}}var Q={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var K=`.ltp-query textarea {
  display: block; width: 100%; resize: vertical; border: 0; border-bottom: 1px solid var(--ltp-line); padding: .5rem .7rem; margin: 0;
  font: 12.5px/1.5 var(--jp-code-font-family, ui-monospace, "SF Mono", Menlo, Consolas, monospace);
  color: inherit; background: color-mix(in srgb, var(--ltp-raised) 55%, transparent); tab-size: 2;
}
.ltp-query textarea:focus-visible { outline-offset: -2px; }
.ltp-query .said { padding: .3rem .7rem; font-size: 12px; color: var(--ltp-faint); white-space: pre-wrap; overflow-wrap: anywhere; }
.ltp-query .said:empty { display: none; }
.ltp-query .said.bad { color: var(--ltp-down); }
.ltp-query .run { background: var(--ltp-accent); border-color: var(--ltp-accent); color: #fff; padding-inline: .9rem; }
.ltp-query[data-theme="dark"] .run { color: #10151d; }
.ltp-query .run:disabled { opacity: .5; cursor: default; }
.ltp-query .answer { max-height: 320px; overflow: auto; scrollbar-width: thin; }
.ltp-query table { border-collapse: collapse; width: 100%; font-size: 12px; }
.ltp-query th, .ltp-query td { padding: .2rem .7rem; text-align: left; white-space: nowrap; border: 0; }
.ltp-query th { position: sticky; top: 0; background: var(--ltp-raised); color: var(--ltp-faint); font-weight: 500; }
.ltp-query tbody tr + tr td { border-top: 1px solid color-mix(in srgb, var(--ltp-line) 55%, transparent); }
.ltp-query tbody tr:hover td { background: color-mix(in srgb, var(--ltp-text) 4%, transparent); }
.ltp-query .number { text-align: right; }
`;function ae(e){e.head.innerHTML='<strong>SQL</strong><span class="grow"></span><select aria-label="Examples"><option value="">Examples</option></select><button class="run" title="Ctrl+Enter">Run</button>',e.body.innerHTML='<textarea rows="3" spellcheck="false" aria-label="Query" autocapitalize="off" autocomplete="off" data-lm-suppress-shortcuts="true"></textarea><div class="said" role="status"></div><div class="answer" tabindex="0" role="region" aria-label="Answer"><table><thead></thead><tbody></tbody></table></div>';let t=T(e.head,"select"),r=T(e.head,".run"),s=T(e.body,"textarea"),n=T(e.body,".said"),y=T(e.body,".answer"),o=T(e.body,"thead"),L=T(e.body,"tbody"),b={},v=!1,f=()=>{e.choose("query",s.value),e.choose("run",!0),C(n,"Asking \u2026"),n.className="said"};r.addEventListener("click",f),s.addEventListener("input",()=>v=!0),s.addEventListener("keydown",a=>{a.key==="Enter"&&(a.ctrlKey||a.metaKey)&&(a.preventDefault(),f())}),t.addEventListener("change",()=>{b[t.value]&&(s.value=b[t.value],v=!0,w(),f(),t.value="")});let w=()=>s.rows=Math.min(Math.max(s.value.split(`
`).length,2),10);s.addEventListener("input",w);let x=(a,g,m)=>{let E=document.createElement("tr");return E.append(...g.map((u,h)=>{let c=document.createElement(a);return a==="th"&&(c.scope="col"),c.textContent=u??"\u2013",m[h]?c.className="number":u===null&&(c.className="faint"),c})),E};return{base({header:a}){b=a.examples,t.options.length===1&&t.append(...Object.keys(b).map(S=>new Option(S,S))),v||(s.value=a.options.query,w());let{names:g,numbers:m,cells:E,rows:u,shown:h,refusal:c,took:A}=a;n.classList.toggle("bad",!!c),y.hidden=u===null,c?C(n,c):u===null?C(n,""):C(n,`${u} row${u===1?"":"s"} in ${A.toFixed(0)} ms${h<u?`, the first ${h} shown`:""}`),o.replaceChildren(x("th",g,m));let q=Array.from({length:h},(S,H)=>x("td",E.map(D=>D[H]),m));L.replaceChildren(...q)},frame({header:a}){r.disabled=a.running,e.root.toggleAttribute("data-running",a.running)}}}var xe=W("query",K,ae);export{xe as default};
