var V=new Map;function B(t,e){let n=V.get(t);return n||V.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function z(t,e=2){return t==null||Number.isNaN(t)?"\u2013":B(`p${e}`,{minimumFractionDigits:e,maximumFractionDigits:e}).format(t)}function $(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?B("c",{notation:"compact",maximumFractionDigits:2}).format(t):B(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}function W(t,e=2,n=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${z(Math.abs(t),e)}${n}`}function Y(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}var G=`.ltp {
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
`;function at(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function J(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=at(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function Q(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let p of[document.documentElement,document.body])n.observe(p,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function Z(t){let e=getComputedStyle(t),n=p=>e.getPropertyValue(`--ltp-${p}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var it={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},ct=new TextDecoder;function U(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:p,...o}=JSON.parse(ct.decode(new Uint8Array(e,4,n))),b={};for(let[r,x,M,S]of p)b[r]=new it[x](e,4+n+M,S);return{header:o,columns:b}}var pt=3500,K=new WeakMap,P=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function tt(t,e,n){function p({model:o,el:b}){let r=P("div",`ltp ltp-${t}`),x=document.createElement("style");x.textContent=G+e;let M=P("div","ltp-head"),S=P("div","ltp-body"),N=P("div","ltp-note");N.setAttribute("role","status"),r.append(x,M,S,N),r.dataset.ltpView=t,r.dataset.lmSuppressShortcuts="true",r.addEventListener("keydown",i=>i.stopPropagation()),b.append(r);let D=null,T=null,j=null,w=null,k=null,C=0,A=Date.now(),O={},I={root:r,body:S,head:M,colours:{},choose(i,s){let f=Date.now();O[i]={value:s,until:f+2e3},o.set("chosen",{...o.get("chosen"),[i]:[s,f]}),o.save_changes()},chosen(i){let s=O[i];return s&&Date.now()<s.until?s.value:(w??D?.header)?.options[i]}},m=()=>{r.dataset.theme=J(r),I.colours=Z(r),k?.restyle?.()},R=()=>{if(C=0,!r.isConnected)return;let i=T,s=j;T=j=null;let f=(s??i)?.header.options.palette;if(f&&f!==r.dataset.palette&&(r.dataset.palette=f,m()),k??=n(I),i&&(D=i,k.base?.(i)),!s)return;let{header:g}=s,lt=D!==null&&g.epoch===D.header.epoch;w=g,lt&&g.seq!==void 0&&(k.frame(s),g.stamp!=null&&(r.dataset.ltpStamp=String(g.stamp)),g.seq!=null&&(r.dataset.ltpSeq=String(g.seq)),g.options.symbol&&(r.dataset.ltpSymbol=g.options.symbol)),r.dataset.ltpState=g.state,r.dataset.ltpFrame=String(g.n),a(),o.set("answered",g.n),o.save_changes()},l=()=>{C||=requestAnimationFrame(R)},a=()=>{let i=Date.now()-A,s=i>pt&&F();r.toggleAttribute("data-stale",s);let f="";s?f=`No news for ${Math.floor(i/1e3)} s: the kernel was restarted or is held up.`:w?.error?f=w.error:w&&X[w.state]&&(f=X[w.state]),N.textContent!==f&&(N.textContent=f),N.classList.toggle("shown",f!==""),N.classList.toggle("bad",!s&&!!w?.error)},d=()=>{T=U(o.get("base")),A=Date.now(),l()},h=()=>{j=U(o.get("frame")),A=Date.now(),l()},q=!0,F=()=>q&&!document.hidden,y=K.get(o)??new Set;K.set(o,y);let E=()=>{let i=y.size>0;F()?(y.has(r)||(A=Date.now()),y.add(r)):y.delete(r);let s=y.size>0;(s!==i||o.get("seen")!==s)&&(o.set("seen",s),o.save_changes())},c=new IntersectionObserver(i=>{q=i[i.length-1].isIntersecting,E()}),u=new ResizeObserver(()=>k?.restyle?.());o.on("change:base",d),o.on("change:frame",h),document.addEventListener("visibilitychange",E),c.observe(r),u.observe(r);let H=Q(m),v=setInterval(a,1e3);return m(),d(),h(),E(),()=>{o.off("change:base",d),o.off("change:frame",h),document.removeEventListener("visibilitychange",E),c.disconnect(),u.disconnect(),H(),clearInterval(v),C&&cancelAnimationFrame(C),k?.destroy?.(),y.delete(r),y.size===0&&(o.set("seen",!1),o.save_changes()),r.remove()}}return{render:p}}var X={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var et=`.ltp.ltp-ladder { max-width: 34rem; min-width: 16rem; }
.ltp-ladder .pane { position: relative; overflow-y: auto; overflow-x: hidden; scrollbar-width: thin; }
.ltp-ladder .sheet { position: relative; }
.ltp-ladder .row, .ltp-ladder .titles {
  display: grid; grid-template-columns: 1fr .6fr 1.3fr 1.3fr 1.3fr .6fr 1fr; align-items: center; height: 22px;
}
.ltp-ladder .row { position: absolute; left: 0; right: 0; }
.ltp-ladder .titles { color: var(--ltp-faint); font-size: 11px; border-bottom: 1px solid var(--ltp-line); }
.ltp-ladder .titles span, .ltp-ladder .row span { padding: 0 .5rem; text-align: right; white-space: nowrap; overflow: hidden; }
.ltp-ladder .row .cum, .ltp-ladder .row .orders { color: var(--ltp-faint); font-size: 12px; }
.ltp-ladder .row .price { text-align: center; font-weight: 600; }
.ltp-ladder .titles .price { text-align: center; }
.ltp-ladder .qty { position: relative; height: 100%; display: flex; align-items: center; justify-content: flex-end; }
.ltp-ladder .qty.ask, .ltp-ladder .titles .ask, .ltp-ladder .row .ask { text-align: left; justify-content: flex-start; }
.ltp-ladder .qty i { position: absolute; top: 2px; bottom: 2px; border-radius: 3px; transition: width .12s linear; }
.ltp-ladder .qty.bid i { right: 0; background: color-mix(in srgb, var(--ltp-up) 26%, transparent); }
.ltp-ladder .qty.ask i { left: 0; background: color-mix(in srgb, var(--ltp-down) 26%, transparent); }
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
.ltp-ladder .totals span { padding: 0 .5rem; display: flex; align-items: center; overflow: hidden; white-space: nowrap; transition: width .2s; }
.ltp-ladder .totals .bid { background: color-mix(in srgb, var(--ltp-up) 20%, transparent); }
.ltp-ladder .totals .ask { background: color-mix(in srgb, var(--ltp-down) 20%, transparent); flex: 1; justify-content: flex-end; }
.ltp-ladder .empty { padding: 2rem; text-align: center; color: var(--ltp-faint); }
@container (max-width: 380px) {
  .ltp-ladder .row, .ltp-ladder .titles { grid-template-columns: 0 0 1.2fr 1.2fr 1.2fr 0 0; }
  .ltp-ladder .cum, .ltp-ladder .orders { visibility: hidden; padding: 0 !important; }
}
.ltp-ladder .frame { container-type: inline-size; }
`;var L=22,_=30,ut=21,ft=[5,10,20,50,200];function nt(t,e){let n=t.columns[`${e}_price`],p=n.length;for(;p>0&&Number.isNaN(n[p-1]);)p--;let o=t.columns[`${e}_qty`],b=new Float64Array(p),r=0;for(let x=0;x<p;x++)b[x]=r+=o[x]||0;return{price:n,qty:o,orders:t.columns[`${e}_orders`],cum:b,total:r}}function mt(t){t.head.innerHTML='<select class="symbol" aria-label="Symbol"></select><span class="grow"></span><select class="levels" aria-label="Levels"></select><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="titles"><span class="cum">total</span><span class="orders">orders</span><span>bid qty</span><span class="price">price</span><span class="ask">ask qty</span><span class="orders ask">orders</span><span class="cum ask">total</span></div><div class="pane" tabindex="0" aria-label="Price levels"><div class="sheet"></div></div><div class="totals"><span class="bid"></span><span class="ask"></span></div></div>';let e=l=>t.root.querySelector(l),n=e(".symbol"),p=e(".levels"),o=e(".pause"),b=e(".pane"),r=e(".sheet"),x=[e(".totals .bid"),e(".totals .ask")],M=document.createElement("div");M.className="touch",M.innerHTML='<span class="spread"></span><b class="ltp-last"></b><span class="mid"></span>',r.append(M);let S=M.querySelector("b"),N=M.querySelector(".spread"),D=M.querySelector(".mid"),T=2,j=null,w=null,k=null,C=null,A="",O=[];n.addEventListener("change",()=>t.choose("symbol",n.value)),p.addEventListener("change",()=>t.choose("levels",Number(p.value))),o.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),b.addEventListener("scroll",()=>R());function I(){let l=document.createElement("div");l.innerHTML='<span class="cum"></span><span class="orders"></span><span class="qty bid"><i></i><b></b></span><span class="price"></span><span class="qty ask"><i></i><b></b></span><span class="orders ask"></span><span class="cum ask"></span>',r.append(l);let a=[...l.children];return{el:l,cells:a,bars:[...l.querySelectorAll("i")]}}let m=(l,a)=>{l.textContent!==a&&(l.textContent=a)};function R(){if(!w)return;let{bid:l,ask:a}=w,d=a.cum.length*L+_+l.cum.length*L,h=Math.max(rt(l),rt(a),1),q=b.scrollTop-L,F=b.scrollTop+b.clientHeight+L,y=0,E=(c,u,H)=>{if(H<q||H>F)return;let v=O[y]??=I();y++;let i=w[c];v.el.className=`row ${c}${u===0?" best":""}`,v.el.style.transform=`translateY(${H}px)`,v.el.style.display="";let s=c==="bid",f=i.qty[u],g=i.orders[u];m(v.cells[0],s?$(i.cum[u]):""),m(v.cells[1],s&&!Number.isNaN(g)?$(g):""),m(v.cells[2].lastElementChild,s?$(f):""),m(v.cells[3],z(i.price[u],T)),m(v.cells[4].lastElementChild,s?"":$(f)),m(v.cells[5],s||Number.isNaN(g)?"":$(g)),m(v.cells[6],s?"":$(i.cum[u])),v.bars[0].style.width=s?`${100*f/h}%`:"0",v.bars[1].style.width=s?"0":`${100*f/h}%`};for(let c=a.cum.length-1,u=0;c>=0;c--,u+=L)E("ask",c,u);M.style.transform=`translateY(${a.cum.length*L}px)`;for(let c=0,u=a.cum.length*L+_;c<l.cum.length;c++,u+=L)E("bid",c,u);for(let c=y;c<O.length;c++)O[c].el.style.display="none";r.style.height=`${d}px`}return{base({header:l}){T=l.decimals,ot(n,l.symbols.map(d=>[d,d]),l.options.symbol);let a=[...new Set([...ft,l.options.levels])].sort((d,h)=>d-h);ot(p,a.map(d=>[String(d),`${d} levels`]),String(l.options.levels)),k=null},frame(l){j=l;let{header:a}=l;w={bid:nt(l,"bid"),ask:nt(l,"ask")};let{bid:d,ask:h}=w,q=h.cum.length+d.cum.length,F=Math.min(q,ut)*L+_;b.style.height=`${F}px`,n.value=t.chosen("symbol");let y=!!t.chosen("paused");o.setAttribute("aria-pressed",String(y)),m(o,y?"Paused":"Pause");let E=`${a.options.symbol} ${a.options.levels} ${q>0}`;r.style.height=`${q*L+_}px`,E!==A&&(A=E,b.scrollTop=h.cum.length*L+_/2-F/2),R();let c=d.cum.length&&h.cum.length?[d.price[0],h.price[0]]:null;if(m(N,c?`spread ${z(c[1]-c[0],T)}`:""),m(D,c?`mid ${z((c[0]+c[1])/2,T+1)}`:""),m(S,z(a.ltp,T)),S.title=a.change==null?"":`${W(a.change,T)} from the tick before`,a.ltp!=null&&k!=null&&a.ltp!==k&&a.seq!==C){let H=Y(a.ltp-k);S.className=`ltp-last ${H}`,S.offsetWidth,S.classList.add(`flash-${H}`)}k=a.ltp??k,C=a.seq??null;let u=d.total+h.total;x[0].style.width=u?`${100*d.total/u}%`:"50%",m(x[0],`${$(d.total)} bid`),m(x[1],`${$(h.total)} ask`)},restyle:()=>j&&R()}}function rt(t){let e=0;for(let n=0;n<t.cum.length;n++)e=Math.max(e,t.qty[n]||0);return e}function ot(t,e,n){let p=e.map(([o])=>o).join();t.dataset.key!==p&&(t.dataset.key=p,t.replaceChildren(...e.map(([o,b])=>new Option(b,o)))),t.value=n}var Et=tt("ladder",et,mt);export{Et as default};
