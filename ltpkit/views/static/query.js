function S(e,t){e.textContent!==t&&(e.textContent=t)}function k(e,t){return e.querySelector(t)}var N=`.ltp {
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
@keyframes ltp-flash-up { from { background: color-mix(in srgb, var(--ltp-up) 35%, transparent); } }
@keyframes ltp-flash-down { from { background: color-mix(in srgb, var(--ltp-down) 35%, transparent); } }
.ltp .flash-up { animation: ltp-flash-up .7s ease-out; }
.ltp .flash-down { animation: ltp-flash-down .7s ease-out; }
@media (prefers-reduced-motion: reduce) {
  .ltp *, .ltp *::before { animation: none !important; transition: none !important; }
}
`;function X(e){let t=e.match(/[\d.]+/g)?.map(Number);return!t||t.length<3||t.length>3&&t[3]<.5?null:(.2126*t[0]+.7152*t[1]+.0722*t[2])/255}function I(e){let t=e.parentNode;for(;t;){if(t instanceof HTMLElement){let o=X(getComputedStyle(t).backgroundColor);if(o!==null)return o<.5?"dark":"light"}t=t instanceof ShadowRoot?t.host:t.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function P(e){let t=matchMedia("(prefers-color-scheme: dark)"),o=new MutationObserver(e);for(let i of[document.documentElement,document.body])o.observe(i,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return t.addEventListener("change",e),()=>{o.disconnect(),t.removeEventListener("change",e)}}function B(e){let t=getComputedStyle(e),o=i=>t.getPropertyValue(`--ltp-${i}`).trim();return{up:o("up"),down:o("down"),flat:o("flat"),text:o("text"),faint:o("faint"),line:o("line"),back:o("back"),accent:o("accent")}}var Z={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},ee=new TextDecoder;function z(e){if(!e||e.byteLength===0)return null;let t=e instanceof ArrayBuffer?e:e.buffer.slice(e.byteOffset,e.byteOffset+e.byteLength),o=new DataView(t).getUint32(0,!0),{columns:i,...r}=JSON.parse(ee.decode(new Uint8Array(t,4,o))),E={};for(let[n,M,b,y]of i)E[n]=new Z[M](t,4+o+b,y);return{header:r,columns:E}}var te=3500,U=new WeakMap,D=(e,t)=>{let o=document.createElement(e);return o.className=t,o};function Q(e,t,o){function i({model:r,el:E}){let n=D("div",`ltp ltp-${e}`),M=document.createElement("style");M.textContent=N+t;let b=D("div","ltp-head"),y=D("div","ltp-body"),g=D("div","ltp-note");g.setAttribute("role","status"),n.append(M,b,y,g),n.dataset.ltpView=e,n.dataset.lmSuppressShortcuts="true",n.addEventListener("keydown",a=>a.stopPropagation()),E.append(n);let v=null,T=null,l=null,d=null,m=null,h=0,c=Date.now(),w={},u={root:n,body:y,head:b,colours:{},choose(a,s){let p=Date.now();w[a]={value:s,until:p+2e3},r.set("chosen",{...r.get("chosen"),[a]:[s,p]}),r.save_changes()},chosen(a){let s=w[a];return s&&Date.now()<s.until?s.value:(d??v?.header)?.options[a]}},q=()=>{n.dataset.theme=I(n),u.colours=B(n),m?.restyle?.()},H=()=>{if(h=0,!n.isConnected)return;let a=T,s=l;T=l=null;let p=(s??a)?.header.options.palette;if(p&&p!==n.dataset.palette&&(n.dataset.palette=p,q()),m??=o(u),a&&(v=a,m.base?.(a)),!s)return;let{header:f}=s,W=v!==null&&f.epoch===v.header.epoch;d=f,W&&f.seq!==void 0&&(m.frame(s),f.stamp!=null&&(n.dataset.ltpStamp=String(f.stamp)),f.seq!=null&&(n.dataset.ltpSeq=String(f.seq)),f.options.symbol&&(n.dataset.ltpSymbol=f.options.symbol)),n.dataset.ltpState=f.state,n.dataset.ltpFrame=String(f.n),A(),r.set("answered",f.n),r.save_changes()},L=()=>{h||=requestAnimationFrame(H)},A=()=>{let a=Date.now()-c,s=a>te&&O();n.toggleAttribute("data-stale",s);let p="";s?p=`No news for ${Math.floor(a/1e3)} s: the kernel was restarted or is held up.`:d?.error?p=d.error:d&&V[d.state]&&(p=V[d.state]),g.textContent!==p&&(g.textContent=p),g.classList.toggle("shown",p!==""),g.classList.toggle("bad",!s&&!!d?.error)},C=()=>{T=z(r.get("base")),c=Date.now(),L()},F=()=>{l=z(r.get("frame")),c=Date.now(),L()},$=!0,O=()=>$&&!document.hidden,x=U.get(r)??new Set;U.set(r,x);let j=()=>{let a=x.size>0;O()?(x.has(n)||(c=Date.now()),x.add(n)):x.delete(n);let s=x.size>0;(s!==a||r.get("seen")!==s)&&(r.set("seen",s),r.save_changes())},R=new IntersectionObserver(a=>{$=a[a.length-1].isIntersecting,j()}),_=new ResizeObserver(()=>m?.restyle?.());r.on("change:base",C),r.on("change:frame",F),document.addEventListener("visibilitychange",j),R.observe(n),_.observe(n);let Y=P(q),J=setInterval(A,1e3);return q(),C(),F(),j(),()=>{r.off("change:base",C),r.off("change:frame",F),document.removeEventListener("visibilitychange",j),R.disconnect(),_.disconnect(),Y(),clearInterval(J),h&&cancelAnimationFrame(h),m?.destroy?.(),x.delete(n),x.size===0&&(r.set("seen",!1),r.save_changes()),n.remove()}}return{render:i}}var V={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var K=`.ltp-query textarea {
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
`;function re(e){e.head.innerHTML='<strong>SQL</strong><span class="grow"></span><select aria-label="Examples"><option value="">Examples</option></select><button class="run" title="Ctrl+Enter">Run</button>',e.body.innerHTML='<textarea rows="3" spellcheck="false" aria-label="Query" autocapitalize="off" autocomplete="off" data-lm-suppress-shortcuts="true"></textarea><div class="said" role="status"></div><div class="answer" tabindex="0" role="region" aria-label="Answer"><table><thead></thead><tbody></tbody></table></div>';let t=k(e.head,"select"),o=k(e.head,".run"),i=k(e.body,"textarea"),r=k(e.body,".said"),E=k(e.body,".answer"),n=k(e.body,"thead"),M=k(e.body,"tbody"),b={},y=!1,g=()=>{e.choose("query",i.value),e.choose("run",!0),S(r,"Asking \u2026"),r.className="said"};o.addEventListener("click",g),i.addEventListener("input",()=>y=!0),i.addEventListener("keydown",l=>{l.key==="Enter"&&(l.ctrlKey||l.metaKey)&&(l.preventDefault(),g())}),t.addEventListener("change",()=>{b[t.value]&&(i.value=b[t.value],y=!0,v(),g(),t.value="")});let v=()=>i.rows=Math.min(Math.max(i.value.split(`
`).length,2),10);i.addEventListener("input",v);let T=(l,d,m)=>{let h=document.createElement("tr");return h.append(...d.map((c,w)=>{let u=document.createElement(l);return l==="th"&&(u.scope="col"),u.textContent=c??"\u2013",m[w]?u.className="number":c===null&&(u.className="faint"),u})),h};return{base({header:l}){b=l.examples,t.options.length===1&&t.append(...Object.keys(b).map(L=>new Option(L,L))),y||(i.value=l.options.query,v());let{names:d,numbers:m,cells:h,rows:c,shown:w,refusal:u,took:q}=l;r.classList.toggle("bad",!!u),E.hidden=c===null,u?S(r,u):c===null?S(r,""):S(r,`${c} row${c===1?"":"s"} in ${q.toFixed(0)} ms${w<c?`, the first ${w} shown`:""}`),n.replaceChildren(T("th",d,m));let H=Array.from({length:w},(L,A)=>T("td",h.map(C=>C[A]),m));M.replaceChildren(...H)},frame({header:l}){o.disabled=l.running,e.root.toggleAttribute("data-running",l.running)}}}var be=Q("query",K,re);export{be as default};
