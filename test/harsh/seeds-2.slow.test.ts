import { seedSuite } from './seeds.ts';

seedSuite(51, 100);
