var K=new Map;function X(t,e){let n=K.get(t);return n||K.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function R(t,e=2){return t==null||Number.isNaN(t)?"\u2013":X(`p${e}`,{minimumFractionDigits:e,maximumFractionDigits:e}).format(t)}function S(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?X("c",{notation:"compact",maximumFractionDigits:2}).format(t):X(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}function tt(t,e=2,n=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${R(Math.abs(t),e)}${n}`}function et(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function h(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}var wt=matchMedia("(prefers-reduced-motion: reduce)"),nt=()=>wt.matches;var rt=700,z=5,B=class{lit=new Map;later;light(e,n){n&&!nt()&&this.lit.set(e,{way:n,since:Date.now(),step:-1})}drop(e){this.lit.delete(e)&&(e.style.background="")}fade(){let e=Date.now();for(let[n,l]of this.lit){let r=Math.min(z,Math.floor(z*(e-l.since)/rt));if(r===l.step)continue;l.step=r;let m=38*(1-r/z);n.style.background=r<z?`color-mix(in srgb, var(--ltp-${l.way}) ${m}%, transparent)`:"",r===z&&this.lit.delete(n)}clearTimeout(this.later),this.lit.size&&(this.later=setTimeout(()=>this.fade(),1.5*rt/z))}end(){clearTimeout(this.later)}};var ot=`.ltp {
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
`;var H=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function J(t){H.waiting.add(t),H.asked||=requestAnimationFrame(()=>{let e=[...H.waiting];H.waiting.clear(),H.asked=0;for(let n of e)try{n()}catch(l){reportError(l)}})}var at=t=>{H.waiting.delete(t)};function lt(t,e,n){let l=e.slice(0,e.indexOf("-")),r=H.groups.get(l);r||H.groups.set(l,r={painted:{},told:{},toldAt:0}),r.painted[e]=n;let m=n-(r.told[e]??0),o=r.toldAt+250-Date.now();clearTimeout(r.later),m>=3||o<=0?st(r,t):r.later=setTimeout(()=>st(r,t),o)}function st(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function xt(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function it(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=xt(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function ct(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let l of[document.documentElement,document.body])n.observe(l,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function dt(t){let e=getComputedStyle(t),n=l=>e.getPropertyValue(`--ltp-${l}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var kt={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},Mt=new TextDecoder;function Q(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:l,...r}=JSON.parse(Mt.decode(new Uint8Array(e,4,n))),m={};for(let[o,b,y,M]of l)m[o]=new kt[b](e,4+n+y,M);return{header:r,columns:m}}var Tt=3500,pt=new WeakMap,V=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function ft(t,e,n){function l({model:r,el:m}){let o=V("div",`ltp ltp-${t}`),b=document.createElement("style");b.textContent=ot+e;let y=V("div","ltp-head"),M=V("div","ltp-body"),L=V("div","ltp-note");L.setAttribute("role","status"),o.append(b,y,M,L),o.dataset.ltpView=t,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",s=>s.stopPropagation()),m.append(o);let j=null,w={},x=null,v=null,k=Date.now(),_={},I={root:o,body:M,head:y,colours:{},choose(s,i){let a=Date.now();_[s]={value:i,until:a+2e3},r.set("chosen",{...r.get("chosen"),[s]:[i,a]}),r.save_changes()},chosen(s){let i=_[s];return i&&Date.now()<i.until?i.value:(x??j?.header)?.options[s]}},O=()=>{o.dataset.theme=it(o),I.colours=dt(o),v?.restyle?.()},q=()=>{if(!o.isConnected)return;let s=Q(w.base),i=Q(w.frame);w={};let a=(i??s)?.header.options.palette;if(a&&a!==o.dataset.palette&&(o.dataset.palette=a,O()),v??=n(I),s&&(j=s,v.base?.(s)),!i)return;let{header:f}=i,D=j!==null&&f.epoch===j.header.epoch;x=f,D&&f.seq!==void 0&&(v.frame(i),f.stamp!=null&&(o.dataset.ltpStamp=String(f.stamp)),f.seq!=null&&(o.dataset.ltpSeq=String(f.seq)),f.options.symbol&&(o.dataset.ltpSymbol=f.options.symbol)),o.dataset.ltpState=f.state,o.dataset.ltpFrame=String(f.n),N(),lt(r,f.view,f.n)},N=()=>{let s=Date.now()-k,i=s>Tt&&p();o.toggleAttribute("data-stale",i);let a="";i?a=`No news for ${Math.floor(s/1e3)} s: the kernel was restarted or is held up.`:x?.error?a=x.error:x&&ut[x.state]&&(a=ut[x.state]),L.textContent!==a&&(L.textContent=a),L.classList.toggle("shown",a!==""),L.classList.toggle("bad",!i&&!!x?.error)},P=()=>{w.base=r.get("base"),k=Date.now(),J(q)},A=()=>{w.frame=r.get("frame"),k=Date.now(),J(q)},d=!0,p=()=>d&&!document.hidden,c=pt.get(r)??new Set;pt.set(r,c);let g=()=>{let s=c.size>0;p()?(c.has(o)||(k=Date.now()),c.add(o)):c.delete(o);let i=c.size>0;(i!==s||r.get("seen")!==i)&&(r.set("seen",i),r.save_changes())},$=new IntersectionObserver(s=>{d=s[s.length-1].isIntersecting,g()}),T=new ResizeObserver(()=>v?.restyle?.());r.on("change:base",P),r.on("change:frame",A),document.addEventListener("visibilitychange",g),$.observe(o),T.observe(o);let C=ct(O),u=setInterval(N,1e3);return O(),P(),A(),g(),()=>{r.off("change:base",P),r.off("change:frame",A),document.removeEventListener("visibilitychange",g),$.disconnect(),T.disconnect(),C(),clearInterval(u),at(q),v?.destroy?.(),c.delete(o),c.size===0&&(r.set("seen",!1),r.save_changes()),o.remove()}}return{render:l}}var ut={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var mt=`.ltp.ltp-ladder { max-width: 34rem; min-width: 16rem; }
.ltp-ladder .pane { position: relative; overflow-y: auto; overflow-x: hidden; scrollbar-width: thin; }
.ltp-ladder .sheet { position: relative; }
.ltp-ladder .row, .ltp-ladder .titles {
  display: grid; grid-template-columns: 1fr .6fr 1.3fr 1.3fr 1.3fr .6fr 1fr; align-items: center; height: 22px;
}
.ltp-ladder .row { position: absolute; left: 0; right: 0; contain: strict; }
.ltp-ladder .titles { color: var(--ltp-faint); font-size: 11px; border-bottom: 1px solid var(--ltp-line); }
.ltp-ladder .titles span, .ltp-ladder .row span { padding: 0 .5rem; text-align: right; white-space: nowrap; overflow: hidden; }
.ltp-ladder .row .cum, .ltp-ladder .row .orders { color: var(--ltp-faint); font-size: 12px; }
.ltp-ladder .row .price { text-align: center; font-weight: 600; }
.ltp-ladder .titles .price { text-align: center; }
.ltp-ladder .qty { position: relative; height: 100%; display: flex; align-items: center; justify-content: flex-end; }
.ltp-ladder .qty.ask, .ltp-ladder .titles .ask, .ltp-ladder .row .ask { text-align: left; justify-content: flex-start; }
.ltp-ladder .qty i { position: absolute; top: 2px; bottom: 2px; border-radius: 3px; width: 100%; transform: scaleX(0); }
.ltp-ladder .qty.bid i { right: 0; transform-origin: right; background: color-mix(in srgb, var(--ltp-up) 26%, transparent); }
.ltp-ladder .qty.ask i { left: 0; transform-origin: left; background: color-mix(in srgb, var(--ltp-down) 26%, transparent); }
.ltp-ladder .qty b { position: relative; font-weight: 500; }
.ltp-ladder .row.bid .price { color: var(--ltp-up); }
.ltp-ladder .row.ask .price { color: var(--ltp-down); }
.ltp-ladder .row.best { background: color-mix(in srgb, var(--ltp-text) 5%, transparent); }
.ltp-ladder .touch {
  position: absolute; left: 0; right: 0; height: 30px; display: flex; align-items: center; justify-content: center; gap: 1rem;
  background: var(--ltp-raised); border-block: 1px solid var(--ltp-line); font-size: 12px; color: var(--ltp-faint); white-space: nowrap;
}
.ltp-ladder .touch b { font-size: 15px; color: var(--ltp-text); padding: 0 .35rem; border-radius: 4px; }
.ltp-ladder .touch b.up { color: var(--ltp-up); }
.ltp-ladder .touch b.down { color: var(--ltp-down); }
.ltp-ladder .totals { display: flex; height: 20px; font-size: 11px; border-top: 1px solid var(--ltp-line); }
.ltp-ladder .totals span { padding: 0 .5rem; display: flex; align-items: center; overflow: hidden; white-space: nowrap; }
.ltp-ladder .totals .bid { background: color-mix(in srgb, var(--ltp-up) 20%, transparent); }
.ltp-ladder .totals .ask { background: color-mix(in srgb, var(--ltp-down) 20%, transparent); flex: 1; justify-content: flex-end; }
.ltp-ladder .empty { padding: 2rem; text-align: center; color: var(--ltp-faint); }
@container (max-width: 380px) {
  .ltp-ladder .row, .ltp-ladder .titles { grid-template-columns: 0 0 1.2fr 1.2fr 1.2fr 0 0; }
  .ltp-ladder .cum, .ltp-ladder .orders { visibility: hidden; padding: 0 !important; }
}
.ltp-ladder .frame { container-type: inline-size; }
`;var E=22,W=30,Et=21,Lt=[5,10,20,50,200];function gt(t,e){let n=t.columns[`${e}_price`],l=n.length;for(;l>0&&Number.isNaN(n[l-1]);)l--;let r=t.columns[`${e}_qty`],m=new Float64Array(l),o=0;for(let b=0;b<l;b++)m[b]=o+=r[b]||0;return{price:n,qty:r,orders:t.columns[`${e}_orders`],cum:m,total:o}}function Nt(t){t.head.innerHTML='<select class="symbol" aria-label="Symbol"></select><span class="grow"></span><select class="levels" aria-label="Levels"></select><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="titles"><span class="cum">total</span><span class="orders">orders</span><span>bid qty</span><span class="price">price</span><span class="ask">ask qty</span><span class="orders ask">orders</span><span class="cum ask">total</span></div><div class="pane" tabindex="0" aria-label="Price levels"><div class="sheet"></div></div><div class="totals"><span class="bid"></span><span class="ask"></span></div></div>';let e=d=>t.root.querySelector(d),n=e(".symbol"),l=e(".levels"),r=e(".pause"),m=e(".pane"),o=e(".sheet"),b=[e(".totals .bid"),e(".totals .ask")],y=document.createElement("div");y.className="touch",y.innerHTML='<span class="spread"></span><b class="ltp-last"></b><span class="mid"></span>',o.append(y);let M=y.querySelector("b"),L=y.querySelector(".spread"),j=y.querySelector(".mid"),w=2,x=null,v=null,k=null,_=null,I="",O="",q=new B,N=[];n.addEventListener("change",()=>t.choose("symbol",n.value)),l.addEventListener("change",()=>t.choose("levels",Number(l.value))),r.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),m.addEventListener("scroll",()=>A());function P(){let d=document.createElement("div");d.innerHTML='<span class="cum"></span><span class="orders"></span><span class="qty bid"><i></i><b></b></span><span class="price"></span><span class="qty ask"><i></i><b></b></span><span class="orders ask"></span><span class="cum ask"></span>',o.append(d);let p=[...d.children];return{el:d,cells:p,bars:[...d.querySelectorAll("i")],kind:"",top:NaN,parts:[NaN,NaN],shown:!0}}function A(){if(!v)return;let{bid:d,ask:p}=v,c=Math.max(bt(d),bt(p),1),g=m.scrollTop-E,$=m.scrollTop+m.clientHeight+E,T=0,C=(u,s,i)=>{if(i<g||i>$)return;let a=N[T]??=P();T++;let f=v[u],D=`row ${u}${s===0?" best":""}`;a.kind!==D&&(a.el.className=a.kind=D),a.top!==i&&(a.el.style.transform=`translateY(${a.top=i}px)`),a.shown||(a.el.style.display=""),a.shown=!0;let F=u==="bid",G=f.qty[s],U=f.orders[s];h(a.cells[0],F?S(f.cum[s]):""),h(a.cells[1],F&&!Number.isNaN(U)?S(U):""),h(a.cells[2].lastElementChild,F?S(G):""),h(a.cells[3],R(f.price[s],w)),h(a.cells[4].lastElementChild,F?"":S(G)),h(a.cells[5],F||Number.isNaN(U)?"":S(U)),h(a.cells[6],F?"":S(f.cum[s])),a.bars.forEach((yt,Y)=>{let Z=F===(Y===0)?Math.round(200*G/c)/200:0;a.parts[Y]!==Z&&(yt.style.transform=`scaleX(${a.parts[Y]=Z})`)})};for(let u=p.cum.length-1,s=0;u>=0;u--,s+=E)C("ask",u,s);for(let u=0,s=p.cum.length*E+W;u<d.cum.length;u++,s+=E)C("bid",u,s);for(let u=T;u<N.length;u++)N[u].shown&&(N[u].el.style.display="none"),N[u].shown=!1}return{base({header:d}){w=d.decimals,ht(n,d.symbols.map(c=>[c,c]),d.options.symbol);let p=[...new Set([...Lt,d.options.levels])].sort((c,g)=>c-g);ht(l,p.map(c=>[String(c),`${c} levels`]),String(d.options.levels)),k=null},frame(d){x=d;let{header:p}=d;v={bid:gt(d,"bid"),ask:gt(d,"ask")};let{bid:c,ask:g}=v,$=g.cum.length+c.cum.length,T=Math.min($,Et)*E+W,C=`${g.cum.length} ${c.cum.length}`;C!==O&&(O=C,m.style.height=`${T}px`,o.style.height=`${$*E+W}px`,y.style.transform=`translateY(${g.cum.length*E}px)`),n.value=t.chosen("symbol");let u=!!t.chosen("paused");r.setAttribute("aria-pressed",String(u)),h(r,u?"Paused":"Pause");let s=`${p.options.symbol} ${p.options.levels} ${$>0}`;s!==I&&(I=s,m.scrollTop=g.cum.length*E+W/2-T/2),A();let i=c.cum.length&&g.cum.length?[c.price[0],g.price[0]]:null;if(h(L,i?`spread ${R(i[1]-i[0],w)}`:""),h(j,i?`mid ${R((i[0]+i[1])/2,w+1)}`:""),h(M,R(p.ltp,w)),M.title=p.change==null?"":`${tt(p.change,w)} from the tick before`,p.ltp!=null&&k!=null&&p.ltp!==k&&p.seq!==_){let D=et(p.ltp-k);M.className=`ltp-last ${D}`,q.light(M,D)}q.fade(),k=p.ltp??k,_=p.seq??null;let a=c.total+g.total,f=a?`${(100*c.total/a).toFixed(1)}%`:"50%";b[0].style.width!==f&&(b[0].style.width=f),h(b[0],`${S(c.total)} bid`),h(b[1],`${S(g.total)} ask`)},restyle:()=>x&&A(),destroy:()=>q.end()}}function bt(t){let e=0;for(let n=0;n<t.cum.length;n++)e=Math.max(e,t.qty[n]||0);return e}function ht(t,e,n){let l=e.map(([r])=>r).join();t.dataset.key!==l&&(t.dataset.key=l,t.replaceChildren(...e.map(([r,m])=>new Option(m,r)))),t.value=n}var Yt=ft("ladder",mt,Nt);export{Yt as default};
