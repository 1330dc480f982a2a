// One slave of npm's modbus-serial on a serial port: node modbus_serial_server.js PORT
const { ServerSerial } = require("modbus-serial");

const holding = [701, 702, 703, 704];
const coils = [true, false, false, false];
const vector = {
  getInputRegister: (address) => 7000 + address,
  getHoldingRegister: (address) => holding[address],
  getCoil: (address) => coils[address],
  getDiscreteInput: (address) => address % 2 === 1,
  setCoil: (address, value) => { coils[address] = value; },
  setRegister: (address, value) => { holding[address] = value; },
};
const server = new ServerSerial(vector, { port: process.argv[2], baudRate: 9600, unitID: 7 });
server.on("initialized", () => console.log("ready"));
server.on("error", (error) => console.error(error));
