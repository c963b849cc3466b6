function C(t,e){t.textContent!==e&&(t.textContent=e)}function y(t,e){return t.querySelector(e)}var R=new Map;function z(t,e){let r=R.get(t);return r||R.set(t,r=new Intl.NumberFormat("en-IN",e)),r}function P(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?z("c",{notation:"compact",maximumFractionDigits:2}).format(t):z(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}var B=`.ltp {
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
`;function et(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function U(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let r=et(getComputedStyle(e).backgroundColor);if(r!==null)return r<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function V(t){let e=matchMedia("(prefers-color-scheme: dark)"),r=new MutationObserver(t);for(let c of[document.documentElement,document.body])r.observe(c,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{r.disconnect(),e.removeEventListener("change",t)}}function W(t){let e=getComputedStyle(t),r=c=>e.getPropertyValue(`--ltp-${c}`).trim();return{up:r("up"),down:r("down"),flat:r("flat"),text:r("text"),faint:r("faint"),line:r("line"),back:r("back"),accent:r("accent")}}var nt={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},rt=new TextDecoder;function H(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),r=new DataView(e).getUint32(0,!0),{columns:c,...a}=JSON.parse(rt.decode(new Uint8Array(e,4,r))),T={};for(let[o,h,k,w]of c)T[o]=new nt[h](e,4+r+k,w);return{header:a,columns:T}}var ot=3500,Y=new WeakMap,N=(t,e)=>{let r=document.createElement(t);return r.className=e,r};function J(t,e,r){function c({model:a,el:T}){let o=N("div",`ltp ltp-${t}`),h=document.createElement("style");h.textContent=B+e;let k=N("div","ltp-head"),w=N("div","ltp-body"),g=N("div","ltp-note");g.setAttribute("role","status"),o.append(h,k,w,g),o.dataset.ltpView=t,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",s=>s.stopPropagation()),T.append(o);let M=null,E=null,v=null,n=null,l=null,d=0,m=Date.now(),b={},u={root:o,body:w,head:k,colours:{},choose(s,i){let p=Date.now();b[s]={value:i,until:p+2e3},a.set("chosen",{...a.get("chosen"),[s]:[i,p]}),a.save_changes()},chosen(s){let i=b[s];return i&&Date.now()<i.until?i.value:(n??M?.header)?.options[s]}},S=()=>{o.dataset.theme=U(o),u.colours=W(o),l?.restyle?.()},A=()=>{if(d=0,!o.isConnected)return;let s=E,i=v;E=v=null;let p=(i??s)?.header.options.palette;if(p&&p!==o.dataset.palette&&(o.dataset.palette=p,S()),l??=r(u),s&&(M=s,l.base?.(s)),!i)return;let{header:f}=i,X=M!==null&&f.epoch===M.header.epoch;n=f,X&&f.seq!==void 0&&(l.frame(i),f.stamp!=null&&(o.dataset.ltpStamp=String(f.stamp)),f.seq!=null&&(o.dataset.ltpSeq=String(f.seq)),f.options.symbol&&(o.dataset.ltpSymbol=f.options.symbol)),o.dataset.ltpState=f.state,o.dataset.ltpFrame=String(f.n),j(),a.set("answered",f.n),a.save_changes()},$=()=>{d||=requestAnimationFrame(A)},j=()=>{let s=Date.now()-m,i=s>ot&&_();o.toggleAttribute("data-stale",i);let p="";i?p=`No news for ${Math.floor(s/1e3)} s: the kernel was restarted or is held up.`:n?.error?p=n.error:n&&G[n.state]&&(p=G[n.state]),g.textContent!==p&&(g.textContent=p),g.classList.toggle("shown",p!==""),g.classList.toggle("bad",!i&&!!n?.error)},D=()=>{E=H(a.get("base")),m=Date.now(),$()},F=()=>{v=H(a.get("frame")),m=Date.now(),$()},I=!0,_=()=>I&&!document.hidden,x=Y.get(a)??new Set;Y.set(a,x);let L=()=>{let s=x.size>0;_()?(x.has(o)||(m=Date.now()),x.add(o)):x.delete(o);let i=x.size>0;(i!==s||a.get("seen")!==i)&&(a.set("seen",i),a.save_changes())},q=new IntersectionObserver(s=>{I=s[s.length-1].isIntersecting,L()}),O=new ResizeObserver(()=>l?.restyle?.());a.on("change:base",D),a.on("change:frame",F),document.addEventListener("visibilitychange",L),q.observe(o),O.observe(o);let Z=V(S),K=setInterval(j,1e3);return S(),D(),F(),L(),()=>{a.off("change:base",D),a.off("change:frame",F),document.removeEventListener("visibilitychange",L),q.disconnect(),O.disconnect(),Z(),clearInterval(K),d&&cancelAnimationFrame(d),l?.destroy?.(),x.delete(o),x.size===0&&(a.set("seen",!1),a.save_changes()),o.remove()}}return{render:c}}var G={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var Q=`.ltp-controls { max-width: 60rem; min-width: 16rem; overflow: visible; }
.ltp-controls .state { display: inline-flex; align-items: center; gap: .4rem; white-space: nowrap; }
.ltp-controls .state i { width: 9px; height: 9px; border-radius: 50%; background: var(--ltp-flat); flex: none; }
.ltp-controls .state[data-state="live"] i, .ltp-controls .state[data-state="playing"] i { background: var(--ltp-up); }
.ltp-controls .state[data-state="refused"] i { background: var(--ltp-down); }
.ltp-controls .state[data-state="connecting"] i, .ltp-controls .state[data-state="backing_off"] i,
.ltp-controls .state[data-state="stale"] i { background: #d29922; }
.ltp-controls .picker { position: relative; flex: 1 1 11rem; max-width: 20rem; }
.ltp-controls .picker input { width: 100%; }
.ltp-controls .found {
  position: absolute; z-index: 20; left: 0; right: 0; top: calc(100% + 2px); margin: 0; padding: .25rem; list-style: none;
  background: var(--ltp-back); border: 1px solid var(--ltp-line); border-radius: 8px; box-shadow: 0 6px 20px rgb(0 0 0 / .18);
}
.ltp-controls .found[hidden] { display: none; }
.ltp-controls .found li { padding: .25rem .5rem; border-radius: 5px; cursor: pointer; display: flex; gap: .5rem; }
.ltp-controls .found li[aria-selected="true"] { background: var(--ltp-raised); outline: 1px solid var(--ltp-line); }
.ltp-controls .found li small { color: var(--ltp-faint); }
.ltp-controls .chips { display: flex; flex-wrap: wrap; gap: .35rem; padding: .5rem .7rem; max-height: 9.5rem; overflow-y: auto; }
.ltp-controls .chip { display: inline-flex; align-items: center; background: var(--ltp-raised); border: 1px solid var(--ltp-line); border-radius: 14px; padding-left: .6rem; }
.ltp-controls .chip button { border: 0; background: none; min-height: 24px; padding: 0 .5rem; color: var(--ltp-faint); border-radius: 14px; }
.ltp-controls .chip button:hover { color: var(--ltp-down); }
.ltp-controls .chips .none { color: var(--ltp-faint); }
`;var st=150,it=new Set(["stopped","refused"]);function lt(t){t.head.innerHTML='<span class="state"><i></i><strong></strong><span class="faint"></span></span><span class="grow"></span><div class="picker"><input type="search" role="combobox" aria-expanded="false" aria-autocomplete="list" placeholder="Subscribe a symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off"><ul class="found" role="listbox" hidden></ul></div><button class="run"></button><button class="again" title="Leave the broker and connect anew">Reconnect</button>',t.body.innerHTML='<div class="chips"></div>';let e=y(t.head,".state"),r=y(t.head,"input"),c=y(t.head,".found"),a=y(t.head,".run"),T=y(t.head,".again"),o=y(t.body,".chips"),h=[],k=null,w=-1,g=0,M=n=>{n&&(t.choose("subscribe",n),r.value="",v([]))},E=n=>{w=n,[...c.children].forEach((l,d)=>l.setAttribute("aria-selected",String(d===n))),c.children[n]?.scrollIntoView({block:"nearest"})},v=n=>{let l=n.length>0&&r.value.trim()!=="";r.setAttribute("aria-expanded",String(l)),c.hidden=!l,n.join()!==h.join()&&(h=n,c.replaceChildren(...n.map(d=>{let[m,b]=d.split(/:(.*)/),u=document.createElement("li");u.setAttribute("role","option");let S=document.createElement("small");return S.textContent=m,u.append(b,S),u.addEventListener("pointerdown",A=>{A.preventDefault(),M(d)}),u})),E(-1))};return r.addEventListener("input",()=>{clearTimeout(g),g=window.setTimeout(()=>t.choose("find",r.value.trim()),st),r.value.trim()||v([])}),r.addEventListener("blur",()=>c.hidden=!0),r.addEventListener("keydown",n=>{if(n.stopPropagation(),n.key==="ArrowDown")E(Math.min(w+1,h.length-1));else if(n.key==="ArrowUp")E(Math.max(w-1,-1));else if(n.key==="Enter")M(h[w]??r.value.trim());else if(n.key==="Escape")v([]);else return;n.preventDefault()}),a.addEventListener("click",()=>t.choose(a.dataset.does,!0)),T.addEventListener("click",()=>t.choose("reconnect",!0)),{frame({header:n}){let l=it.has(n.state);e.dataset.state=n.state,C(y(e,"strong"),n.feed),C(y(e,"span"),`${n.state.replace("_"," ")} \xB7 ${P(Math.round(n.rate))||0} ticks/s`),C(a,l?"Start":"Stop"),a.dataset.does=l?"start":"stop",v(r.value.trim()&&n.options.find?n.found:[]);let d=n.names.join();d!==k&&(k=d,o.replaceChildren(...n.names.map(m=>{let b=document.createElement("span");b.className="chip",b.textContent=m.split(/:(.*)/)[1],b.title=m;let u=document.createElement("button");return u.textContent="\xD7",u.setAttribute("aria-label",`Unsubscribe ${m}`),u.addEventListener("click",()=>t.choose("unsubscribe",m)),b.append(u),b})),n.names.length||(o.innerHTML='<span class="none">Nothing is subscribed yet.</span>'))},destroy:()=>clearTimeout(g)}}var Mt=J("controls",Q,lt);export{Mt as default};
