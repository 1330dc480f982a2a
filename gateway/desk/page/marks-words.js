// What the marking page says. What is wrong with the marks is told by the gateway, in both languages too.
export const words = {
  zh: {
    title: "标记楼层和外墙", other: "English", floors: "楼层", watch: "外墙", ignore: "不看", undo: "撤销", look: "重拍一张", looking: "正在取画面…",
    clear: { floors: "清除楼层", watch: "清除外墙", ignore: "清除不看的区域" },
    how: {
      floors: [
        "点一下某层的楼板：这层住户脚下的那条线。按住会放大，对准再松手。",
        "填好这是几楼；再点一层，离得越远越准。",
        "填对楼层数：虚线都压在各层楼板上就对了；对不上的那层，再点一下楼板。",
      ],
      watch: ["沿外墙的轮廓依次点角点。坠物要从外墙里面开始才算。", "继续点，或拖动圆点调整。"],
      ignore: ["圈出树和画面上的时钟：里面什么都不看。沿轮廓依次点角点。", "继续点，或拖动圆点调整。"],
    },
    floor: "楼层", row: "行", of: (floor) => `${floor} 楼`, less: "楼层减一", more: "楼层加一", up: "上移一行", down: "下移一行", remove: "删除",
    corners: (n) => `外墙：${n} 个角点`, area: (n, c) => `区域 ${n}：${c} 个角点`, another: "再圈一个区域",
    copy: "复制", copied: "已复制", picked: "已选中：请按“复制”",
    paste: (name, file) => name
      ? `贴进 ${file} 里 name = "${name}" 的 [[camera]]，代替原有的 watch、ignore、floors 几行；再运行 compound-gateway check。`
      : "贴进 gateway.toml 里这台摄像机的 [[camera]]，代替原有的 watch、ignore、floors 几行；再运行 compound-gateway check。",
    footer: (w, h) => `画面 ${w} × ${h}，像素从左上角数起。本页不写任何文件：贴好、检查过，网关才会用。`,
    lost: "与网关的连接断开：请看运行 compound-gateway camera 的终端",
    picture: (where) => `${where} 的画面，可以在上面标记`,
  },
  en: {
    title: "Mark floors and façade", other: "中文", floors: "Floors", watch: "Façade", ignore: "Ignore", undo: "Undo", look: "New picture", looking: "Taking a picture…",
    clear: { floors: "Clear floors", watch: "Clear façade", ignore: "Clear areas" },
    how: {
      floors: [
        "Click on the slab of a floor: the line its people stand on. Hold to see it larger, release when it fits.",
        "Say which floor that is; then click on another, the further away the better.",
        "Mend the numbers until the dashed lines lie on the slabs. Where one still does not, click on that slab too.",
      ],
      watch: ["Click on the corners of the façade, going round its outline. Only what begins in it can be a fall.", "Go on, or drag a dot to move it."],
      ignore: ["Go round trees and the camera's clock, corner by corner: nothing is looked for in there.", "Go on, or drag a dot to move it."],
    },
    floor: "floor", row: "row", of: (floor) => `floor ${floor}`, less: "one floor less", more: "one floor more", up: "one row up", down: "one row down", remove: "remove",
    corners: (n) => `Façade: ${n} corners`, area: (n, c) => `Area ${n}: ${c} corners`, another: "Another area",
    copy: "Copy", copied: "Copied", picked: "Selected: now press copy",
    paste: (name, file) => name
      ? `Paste it into the [[camera]] of ${file} with name = "${name}", in place of its lines watch, ignore and floors; then run compound-gateway check.`
      : "Paste it into this camera's [[camera]] in gateway.toml, in place of its lines watch, ignore and floors; then run compound-gateway check.",
    footer: (w, h) => `Picture of ${w} × ${h}; pixels count from the upper left corner. This page writes no file: the gateway uses what you paste and check.`,
    lost: "The connection to the gateway is lost: see the terminal in which compound-gateway camera runs",
    picture: (where) => `What ${where} sees, to be marked`,
  },
};
